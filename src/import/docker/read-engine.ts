import type { EngineReads } from '../../compute/providers/docker/engine/engine.ts';
import type { Dict } from '../../convert/read/scalars.ts';
import type { Found, FoundContainer } from './found.ts';
import { anonymous } from './mounts.ts';
import { composeLabel, dicts, networkModeOf, within, word } from './plain.ts';

/** What is asked of an engine: it changes nothing. */
export type EngineLook = Pick<
  EngineReads,
  'address' | 'listContainers' | 'inspectContainer' | 'inspectImage' | 'inspectNetwork' | 'inspectVolume'
>;

/** `project`: of compose. Both may be given. */
export interface Wanted {
  readonly names: readonly string[];
  readonly project: string | undefined;
}

/** Reads all that is shown of the containers. Throws an Error that names those that are not there. */
export async function readEngine(engine: EngineLook, wanted: Wanted, signal: AbortSignal): Promise<Found> {
  const ids = [...wanted.names, ...(await idsOf(engine, wanted.project, signal))];
  const shown = await Promise.all(ids.map((id) => shownOf(engine, id, signal)));
  const single = [...new Map(shown.map((one) => [word(one['Id']), one])).values()];
  const read = await Promise.all(single.map((one) => readContainer(engine, one, signal)));
  const containers = byService(read);
  const networks = namesIn(read, networkNames);
  const volumes = namesIn(read, volumeNames);
  return {
    containers,
    networks: await each(networks, (name) => engine.inspectNetwork(name, signal)),
    volumes: await each(volumes, (name) => engine.inspectVolume(name, signal)),
  };
}

async function idsOf(
  engine: EngineLook,
  project: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (project === undefined) return [];
  const labels = [`com.docker.compose.project=${project}`, 'com.docker.compose.oneoff=False'];
  const listed = await engine.listContainers(labels, signal);
  if (listed.length > 0) return listed.map(({ Id }) => Id).toSorted();
  throw new Error(`the engine at ${engine.address} has no containers of the compose project ${project}`);
}

async function shownOf(engine: EngineLook, id: string, signal: AbortSignal): Promise<Dict> {
  const shown = await engine.inspectContainer(id, signal);
  if (shown !== undefined) return shown as unknown as Dict;
  throw new Error(`the engine at ${engine.address} has no container ${id}`);
}

async function readContainer(engine: EngineLook, shown: Dict, signal: AbortSignal): Promise<FoundContainer> {
  const named = word(within(shown, 'Config')['Image']);
  const [image, meant, joined] = await Promise.all([
    engine.inspectImage(word(shown['Image']), signal),
    engine.inspectImage(named, signal),
    joinedBy(engine, shown, signal),
  ]);
  return {
    id: word(shown['Id']),
    name: word(shown['Name']).slice(1),
    count: 1,
    shown,
    image: image as Dict | undefined,
    meant: meant?.Id,
    joined,
  };
}

/** `container:ID` is how the engine shows it. */
async function joinedBy(engine: EngineLook, shown: Dict, signal: AbortSignal): Promise<string | undefined> {
  const [, id] = /^container:(.+)$/.exec(networkModeOf(shown)) ?? [];
  if (id === undefined) return undefined;
  const other = await engine.inspectContainer(id, signal);
  return other?.Name.slice(1) ?? id;
}

/** Several of one service that are alike are one container, so many times. */
function byService(all: readonly FoundContainer[]): ReadonlyMap<string, FoundContainer> {
  const projects = new Set(all.map((one) => composeLabel(one, 'project')));
  const isProject = projects.size === 1 && !projects.has('');
  const kinds = Map.groupBy(all, (one) =>
    isProject ? `${composeLabel(one, 'service')} ${composeLabel(one, 'config-hash')}` : one.id,
  );
  const containers = new Map<string, FoundContainer>();
  for (const alike of kinds.values()) {
    const [first] = alike.toSorted(
      (one, other) =>
        Number(composeLabel(one, 'container-number')) - Number(composeLabel(other, 'container-number')),
    );
    if (first === undefined) continue;
    const service = isProject ? composeLabel(first, 'service') : first.name;
    const key = service === '' || containers.has(service) ? first.name : service;
    containers.set(key, { ...first, count: alike.length });
  }
  return containers;
}

/** Those that every engine has, in which nobody is called by a name. */
const ofEngine = new Set(['bridge', 'host', 'none']);

function networkNames({ shown }: FoundContainer): readonly string[] {
  const networks = Object.keys(within(within(shown, 'NetworkSettings'), 'Networks'));
  return networks.filter((name) => !ofEngine.has(name));
}

function volumeNames({ shown }: FoundContainer): readonly string[] {
  return dicts(shown['Mounts'])
    .filter(({ Type, Name }) => Type === 'volume' && !anonymous.test(word(Name)))
    .map(({ Name }) => word(Name));
}

function namesIn(
  all: readonly FoundContainer[],
  namesOf: (one: FoundContainer) => readonly string[],
): readonly string[] {
  return [...new Set(all.flatMap(namesOf))];
}

/** What is gone by now is as good as one without anything set. */
async function each(
  names: readonly string[],
  inspect: (name: string) => Promise<unknown>,
): Promise<ReadonlyMap<string, Dict>> {
  const found = await Promise.all(names.map(async (name) => [name, (await inspect(name)) ?? {}] as const));
  return new Map(found as [string, Dict][]);
}
