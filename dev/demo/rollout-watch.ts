import { setTimeout as sleep } from 'node:timers/promises';
import { containersOf, httpGet } from './look.ts';
import type { Stage } from './stage.ts';

/** Asks every container of a tenant, again and again, who answers: the engine's word, not the operator's. */
export interface RolloutWatch {
  /** Ends it. */
  stop(): Promise<Rollout>;
}

export interface Rollout {
  /** Every answer in the order of its coming: what was said, and when (Date.now()). */
  readonly answers: readonly { readonly text: string; readonly atMs: number }[];
  /** The longest time between two answers, whoever gave them, in milliseconds. */
  readonly longestGapMs: number;
}

const LOOK_EVERY_MS = 40;

export function watchRollout(stage: Stage, tenant: string): RolloutWatch {
  const answers: { text: string; atMs: number }[] = [];
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted && !stage.signal.aborted) {
      const containers = await containersOf(stage, tenant).catch(() => []);
      const urls = containers.flatMap(({ state, urls }) => (state === 'running' ? urls : []));
      await Promise.all(
        urls.map(async (url) => {
          const text = await httpGet(url).catch(() => undefined);
          if (text !== undefined) answers.push({ text, atMs: Date.now() });
        }),
      );
      await sleep(LOOK_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      const gaps = answers.slice(1).map(({ atMs }, index) => atMs - (answers[index]?.atMs ?? atMs));
      return { answers, longestGapMs: Math.max(0, ...gaps) };
    },
  };
}

/** How long both the old and the new one answered, in milliseconds; negative: nobody did for that long. */
export function overlapMs({ answers }: Rollout, newText: string): number {
  const firstNew = answers.find(({ text }) => text === newText)?.atMs ?? Infinity;
  const lastOld = answers.findLast(({ text }) => text !== newText)?.atMs ?? -Infinity;
  return lastOld - firstNew;
}
