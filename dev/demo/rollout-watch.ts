import { setTimeout as sleep } from 'node:timers/promises';
import { containersOf, httpGet } from './look.ts';
import type { Stage } from './stage.ts';

/** Asks every container of a tenant, again and again, who answers: the engine's word, not the operator's. */
export interface RolloutWatch {
  /** Ends it. */
  stop(): Promise<Rollout>;
}

/** One round of asking: who answered what, and when (Date.now()). */
export interface Look {
  readonly atMs: number;
  readonly answers: readonly string[];
}

export type Rollout = readonly Look[];

const lookEveryMs = 40;

export function watchRollout(stage: Stage, tenant: string): RolloutWatch {
  const looks: Look[] = [];
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted && !stage.signal.aborted) {
      const containers = await containersOf(stage, tenant).catch(() => []);
      const urls = containers.flatMap(({ state, urls }) => (state === 'running' ? urls : []));
      const answers = await Promise.all(urls.map((url) => httpGet(url).catch(() => undefined)));
      looks.push({ atMs: Date.now(), answers: answers.filter((answer) => answer !== undefined) });
      await sleep(lookEveryMs);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return looks;
    },
  };
}

/** How long both the old and the new one answered, in milliseconds; negative: nobody did for that long. */
export function overlapMs(rollout: Rollout, newAnswer: string): number {
  const firstNew = rollout.find(({ answers }) => answers.includes(newAnswer))?.atMs ?? Infinity;
  const lastOld = rollout.findLast(({ answers }) => answers.some((answer) => answer !== newAnswer));
  return (lastOld?.atMs ?? -Infinity) - firstNew;
}

/** The most looks in a row to which nobody gave `answer`. Looks, not time: a busy machine makes them longer. */
export function longestSilence(rollout: Rollout, answer: string): number {
  let longest = 0;
  let silent = 0;
  for (const { answers } of rollout) {
    silent = answers.includes(answer) ? 0 : silent + 1;
    longest = Math.max(longest, silent);
  }
  return longest;
}
