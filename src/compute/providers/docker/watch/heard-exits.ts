import type { EngineEvent } from '../engine/engine.ts';
import { recentRestarts } from '../state/container-end.ts';
import { youngMs } from '../state/observed-container.ts';
import type { Inspected, ObservedContainer } from '../state/observed-container.ts';

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
  /** How often the engine had restarted it, by the last look, and the last exit that is in that count. */
  readonly restarts: number;
  readonly countedMs: number;
  readonly missed: readonly Missed[];
}

/** An exit that no event told of, and a look did: the engine has restarted it since. */
interface Missed {
  readonly exitMs: number;
  /** When it was started again after that, where it is known: what is dated later is another exit. */
  readonly untilMs: number;
}

const nothing: Heard = {
  exitCode: undefined,
  exitsMs: [],
  crashesMs: [],
  killed: false,
  restarts: 0,
  countedMs: 0,
  missed: [],
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
      const { killed } = known;
      const missedMs = known.missed.map(({ exitMs }) => exitMs);
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

function isExitOf(timeMs: number, { exitMs, untilMs }: Missed): boolean {
  return isSameExit(timeMs, exitMs) && timeMs < untilMs;
}

/**
 * What the engine counts more than by the last look, it restarted after an exit, of which it dates the last. Nobody hears
 * of it while the events are not listened to.
 */
function afterLook(before: Heard | undefined, container: ObservedContainer): Heard | undefined {
  const { inspected } = container;
  if (inspected === undefined) return before;
  const { restartCount, finishedMs, startedMs } = inspected;
  const known = before ?? nothing;
  if (restartCount === known.restarts) return before;
  const count = Math.min(unheard(known, inspected), Math.max(1, recentRestarts(container)));
  const one = { exitMs: finishedMs, untilMs: startedMs > finishedMs ? startedMs : Infinity };
  const missed = [...recentOf(finishedMs, known.missed), ...Array.from({ length: count }, () => one)];
  return { ...known, restarts: restartCount, countedMs: finishedMs, missed };
}

/** How many of the restarts that are new by a look followed upon exits that no event told of. */
function unheard(known: Heard, { restartCount, finishedMs }: Inspected): number {
  // With fewer than before, somebody has started it, and the engine counts anew.
  const more = restartCount > known.restarts ? restartCount - known.restarts : restartCount;
  const heard = known.crashesMs.filter((exitMs) => exitMs > known.countedMs).length;
  const isLastHeard = known.exitsMs.some((exitMs) => isSameExit(exitMs, finishedMs));
  return isLastHeard ? Math.max(0, more - Math.max(1, heard)) : Math.min(more, Math.max(1, more - heard));
}

function recentOf(nowMs: number, missed: readonly Missed[]): readonly Missed[] {
  return missed.filter(({ exitMs }) => nowMs - exitMs < youngMs);
}

function recentTo(nowMs: number, exitsMs: readonly number[]): readonly number[] {
  return exitsMs.filter((exitMs) => nowMs - exitMs < youngMs);
}

/** Undefined: nothing to be remembered. */
function after(before: Heard, { action, attributes, timeMs }: EngineEvent): Heard | undefined {
  switch (action) {
    case 'start':
      return before.killed || before.missed.length > 0
        ? { ...before, killed: false, missed: before.missed.map((one) => startedAgain(one, timeMs)) }
        : undefined;
    case 'kill':
      return ends(attributes['signal']) ? { ...before, killed: true } : undefined;
    case 'die': {
      const code = Number(attributes['exitCode']);
      const exitsMs = [...recentTo(timeMs, before.exitsMs), timeMs];
      const isCrash = !before.killed && !codesOfTheEnginesEnd.has(code);
      const crashesMs = [...recentTo(timeMs, before.crashesMs), ...(isCrash ? [timeMs] : [])];
      const exitCode = Number.isInteger(code) ? code : before.exitCode;
      return { ...before, ...afterTold(before, timeMs), exitCode, exitsMs, crashesMs };
    }
    default:
      return undefined;
  }
}

/** What a look has told of, an event may tell of, too. */
function afterTold({ missed, countedMs }: Heard, timeMs: number): Pick<Heard, 'missed' | 'countedMs'> {
  const recent = recentOf(timeMs, missed);
  const told = recent.findIndex((one) => isExitOf(timeMs, one));
  return told === -1
    ? { missed: recent, countedMs }
    : { missed: recent.toSpliced(told, 1), countedMs: Math.max(countedMs, timeMs) };
}

function startedAgain({ exitMs, untilMs }: Missed, timeMs: number): Missed {
  return { exitMs, untilMs: timeMs > exitMs ? Math.min(untilMs, timeMs) : untilMs };
}

/** An engine that goes down ends its containers by SIGTERM; of those that it has lost meanwhile, it says 255. */
const codesOfTheEnginesEnd: ReadonlySet<number> = new Set([143, 255]);

/** SIGHUP, SIGUSR1 and their like mostly tell a process something. */
const endingSignals: ReadonlySet<string | undefined> = new Set(['2', '3', '9', '15']);

function ends(signal: string | undefined): boolean {
  return endingSignals.has(signal);
}
