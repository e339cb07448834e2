import type { EngineEvent } from '../engine/engine.ts';
import { youngMs } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** What events told of containers' exits, and the engine forgets when it restarts them. */
export interface HeardExits {
  note(event: EngineEvent): void;
  /** The container with what was heard, where the engine does not tell it itself. */
  addTo(container: ObservedContainer): ObservedContainer;
}

interface Heard {
  readonly exitCode: number | undefined;
  readonly exitsMs: readonly number[];
  /** Those of them that nobody has asked for. */
  readonly crashesMs: readonly number[];
  /** A signal was sent through the engine, and what came of it is not known or not undone. */
  readonly killed: boolean;
}

const nothing: Heard = { exitCode: undefined, exitsMs: [], crashesMs: [], killed: false };

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
      const known = heard.get(container.id);
      if (known === undefined) return container;
      const { exitsMs, crashesMs, killed } = known;
      return { ...container, exitCode: container.exitCode ?? known.exitCode, exitsMs, crashesMs, killed };
    },
  };
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
      const isRecent = (exitMs: number): boolean => timeMs - exitMs < youngMs;
      const exitsMs = [...before.exitsMs.filter(isRecent), timeMs];
      const isCrash = !before.killed && !codesOfTheEnginesEnd.has(code);
      const crashesMs = [...before.crashesMs.filter(isRecent), ...(isCrash ? [timeMs] : [])];
      return { ...before, exitCode: Number.isInteger(code) ? code : before.exitCode, exitsMs, crashesMs };
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
