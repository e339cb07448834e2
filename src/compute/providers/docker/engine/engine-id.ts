/**
 * What tells one engine from another, whatever its address. Two engines on one machine may have the same id (before 24.0
 * it lies in /etc/docker): what an engine holds lies in its data root, which no two of them share.
 */
export interface EngineId {
  readonly engineId: string;
  /** Left out where it is the usual one. */
  readonly dataRoot?: string;
}

const usualDataRoot = '/var/lib/docker';

/** From the engine's /info. Undefined: it does not tell. */
export function engineIdIn(info: {
  readonly ID?: unknown;
  readonly DockerRootDir?: unknown;
}): EngineId | undefined {
  const { ID: engineId, DockerRootDir: dataRoot } = info;
  if (typeof engineId !== 'string' || engineId === '') return undefined;
  return typeof dataRoot === 'string' && dataRoot !== usualDataRoot ? { engineId, dataRoot } : { engineId };
}

/** From what a placement holds. Undefined: it was written by a version that knew one engine only. */
export function engineIdOf({ engineId, dataRoot }: Readonly<Record<string, unknown>>): EngineId | undefined {
  if (typeof engineId !== 'string') return undefined;
  return typeof dataRoot === 'string' ? { engineId, dataRoot } : { engineId };
}

/** One text for each engine. */
export function engineText({ engineId, dataRoot }: EngineId): string {
  return dataRoot === undefined ? engineId : `${engineId} with data in ${dataRoot}`;
}

export function isSameEngine(a: EngineId | undefined, b: EngineId | undefined): boolean {
  return a?.engineId === b?.engineId && a?.dataRoot === b?.dataRoot;
}
