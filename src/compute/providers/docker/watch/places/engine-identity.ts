import { sharedRun } from '../../../../../async/shared-run.ts';
import { isSameEngine } from '../../engine/engine-id.ts';
import type { EngineId } from '../../engine/engine-id.ts';
import type { EngineReads } from '../../engine/engine.ts';

/** Which engine the operator's address leads to, by the id that it tells. */
export interface EngineIdentity {
  /** As it was last told. */
  readonly last: EngineId | undefined;
  /** As it was last told; asked for where it never was. */
  known(signal: AbortSignal): Promise<EngineId>;
  /** Asked for now. */
  ask(signal: AbortSignal): Promise<EngineId>;
  /** What somebody else has asked for. Returns whether it was another engine before. */
  note(id: EngineId): boolean;
}

export function engineIdentity(engine: Pick<EngineReads, 'identify'>): EngineIdentity {
  let last: EngineId | undefined;
  // No asker's signal: the answer serves many. The engine's own deadline ends it.
  const ask = sharedRun(async () => (last = await engine.identify(new AbortController().signal)));
  return {
    get last() {
      return last;
    },
    known: async (signal) => last ?? ask(signal),
    ask,
    note(id) {
      const isOther = last !== undefined && !isSameEngine(last, id);
      last = id;
      return isOther;
    },
  };
}
