import type { EngineEvent } from '../engine/engine.ts';
import { youngMs } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/**
 * What events told of containers' exits, and the engine forgets when it restarts them, or counts anew because somebody
 * starts them.
 */
export interface HeardExits {
  note(event: EngineEvent): void;
  /** The container with what was heard, where the engine does not tell it itself. What it shows is remembered, too. */
  addTo(container: ObservedContainer): ObservedContainer;
}

interface Heard {
  readonly exitCode: number | undefined;
  readonly exitsMs: readonly number[];
  /** Those of them that nobody has asked for. */
  readonly crashesMs: readonly number[];
  /** A signal was sent through the engine, and what came of it is not known or not undone. */
  readonly killed: boolean;
  /** How often the engine had restarted it, by the last look. */
  readonly restarts: number;
  /** Exits that no event told of, and a look did: the engine has restarted it since. */
  readonly missedMs: readonly number[];
}

const nothing: Heard = {
  exitCode: undefined,
  exitsMs: [],
  crashesMs: [],
  killed: false,
  restarts: 0,
  missedMs: [],
};

export function createHeardExits(): HeardExits {
  const heard = new Map<string, Heard>();
  return {
    note(event) {
      const { id, action } = event;
      if (action === 'destroy') heard.delete(id);
      const next = after(heard.get(id) ?? nothing, event);
      if (next !== undefined) heard.set(id, next);
    },
    addTo(container) {
      const known = afterLook(heard.get(container.id), container);
      if (known === undefined) return container;
      heard.set(container.id, known);
      const { killed, missedMs } = known;
      const exitsMs = [...known.exitsMs, ...missedMs];
      const crashesMs = [...known.crashesMs, ...missedMs];
      return { ...container, exitCode: container.exitCode ?? known.exitCode, exitsMs, crashesMs, killed };
    },
  };
}

/** The event of an exit is dated a little after it; its container was put away in between. */
const sameExitMs = 1_000;

function isSameExit(a: number, b: number): boolean {
  return Math.abs(a - b) < sameExitMs;
}

/**
 * What the engine counts more than by the last look, it restarted after an exit, of which it dates the last. Nobody hears
 * of it while the events are not listened to.
 */
function afterLook(before: Heard | undefined, { inspected }: ObservedContainer): Heard | undefined {
  if (inspected === undefined) return before;
  const { restartCount, finishedMs } = inspected;
  const known = before ?? nothing;
  if (restartCount === known.restarts) return before;
  const isNews =
    restartCount > known.restarts && !known.exitsMs.some((exitMs) => isSameExit(exitMs, finishedMs));
  const missedMs = isNews ? [...recentTo(finishedMs, known.missedMs), finishedMs] : known.missedMs;
  return { ...known, restarts: restartCount, missedMs };
}

function recentTo(nowMs: number, exitsMs: readonly number[]): readonly number[] {
  return exitsMs.filter((exitMs) => nowMs - exitMs < youngMs);
}

/** Undefined: nothing to be remembered. */
function after(before: Heard, { action, attributes, timeMs }: EngineEvent): Heard | undefined {
  switch (action) {
    case 'start':
      return before.killed ? { ...before, killed: false } : undefined;
    case 'kill':
      return ends(attributes['signal']) ? { ...before, killed: true } : undefined;
    case 'die': {
      const code = Number(attributes['exitCode']);
      const exitsMs = [...recentTo(timeMs, before.exitsMs), timeMs];
      const isCrash = !before.killed && !codesOfTheEnginesEnd.has(code);
      const crashesMs = [...recentTo(timeMs, before.crashesMs), ...(isCrash ? [timeMs] : [])];
      const missedMs = recentTo(timeMs, before.missedMs).filter((exitMs) => !isSameExit(exitMs, timeMs));
      const exitCode = Number.isInteger(code) ? code : before.exitCode;
      return { ...before, exitCode, exitsMs, crashesMs, missedMs };
    }
    default:
      return undefined;
  }
}

/** An engine that goes down ends its containers by SIGTERM; of those that it has lost meanwhile, it says 255. */
const codesOfTheEnginesEnd: ReadonlySet<number> = new Set([143, 255]);

/** SIGHUP, SIGUSR1 and their like mostly tell a process something. */
const endingSignals: ReadonlySet<string | undefined> = new Set(['2', '3', '9', '15']);

function ends(signal: string | undefined): boolean {
  return endingSignals.has(signal);
}
