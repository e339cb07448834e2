import type { DockerConfig } from '../config.ts';

export type RestartPolicy = NonNullable<DockerConfig['restart_policy']>;

/** Whether a container may come to an end of its own: a job. */
export function endsForGood(policy: RestartPolicy): boolean {
  return policy === 'no' || policy === 'on-failure';
}

/** What the engine can change while the container runs. */
export interface LiveSettings {
  /** Billionths of a core; 0: no limit. */
  readonly nanoCpus: number;
  /** 0: no limit. */
  readonly memoryBytes: number;
  /** Processes and threads; 0: no limit. */
  readonly pidsLimit: number;
  readonly restartPolicy: RestartPolicy;
}

interface LiveSetting {
  /** Below the container's, in a report of drift. */
  readonly path: string;
  readonly show: (settings: LiveSettings) => string;
  /** The engine ignores a live update to "no limit" of it, so that dropping one takes a replacement. */
  readonly isLimit: boolean;
}

const showLimit = (limit: number): string => (limit === 0 ? 'none' : `${limit}`);

const liveSettings = {
  nanoCpus: { path: 'resources.cpu', show: ({ nanoCpus }) => showLimit(nanoCpus / 1e9), isLimit: true },
  memoryBytes: { path: 'resources.memory', show: ({ memoryBytes }) => showLimit(memoryBytes), isLimit: true },
  pidsLimit: { path: 'pidsLimit', show: ({ pidsLimit }) => showLimit(pidsLimit), isLimit: false },
  restartPolicy: { path: 'restartPolicy', show: ({ restartPolicy }) => restartPolicy, isLimit: false },
} as const satisfies Readonly<Record<keyof LiveSettings, LiveSetting>>;

/** One setting that is not as desired. */
export interface LiveDifference {
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
  /** It can't be taken away while the container runs. */
  readonly needsReplacement: boolean;
}

export function liveDifferences(desired: LiveSettings, actual: LiveSettings): readonly LiveDifference[] {
  return (Object.keys(liveSettings) as (keyof LiveSettings)[])
    .filter((name) => desired[name] !== actual[name])
    .map((name) => {
      const { path, show, isLimit } = liveSettings[name];
      const needsReplacement = isLimit && desired[name] === 0;
      return { path, desired: show(desired), actual: show(actual), needsReplacement };
    });
}

/**
 * The live settings as a label says them. It tells, without an inspect, whether they are the ones that the container
 * was made with. Labels of before say nothing of processes, which had no limit.
 */
export function describeLive({ nanoCpus, memoryBytes, restartPolicy, pidsLimit }: LiveSettings): string {
  const always = `${nanoCpus}/${memoryBytes}/${restartPolicy}`;
  return pidsLimit === 0 ? always : `${always}/${pidsLimit}`;
}
