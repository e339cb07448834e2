import { withDeadline } from '../../../../../async/deadline.ts';
import { sharedRun } from '../../../../../async/shared-run.ts';
import { ComputeError } from '../../../../errors.ts';
import { cutText } from '../../../../observation/engine-text.ts';
import { abortedCall, silentEngine } from '../../engine/engine-errors.ts';
import { engineText, isSameEngine } from '../../engine/engine-id.ts';
import type { EngineId } from '../../engine/engine-id.ts';
import type { Engine, EngineReads } from '../../engine/engine.ts';

/** Engines that the operator's address led to once, and that still hold something. */
export interface OtherEngines {
  /**
   * The engine of that id. Rejects, with words that name it and its address, where it can't be reached there or where
   * another one answers.
   */
  reach(id: EngineId, host: string, signal: AbortSignal): Promise<Engine>;
  close(): void;
}

/** One that is gone must not keep every pass over its tenants waiting. */
const identifyMs = 10_000;
const refusedForMs = 30_000;

interface OtherEngine {
  readonly engine: Engine;
  /** Which one answers there now. */
  readonly identify: (signal: AbortSignal) => Promise<EngineId>;
}

/** `connect`: makes the client of an engine, which connects with its first call. */
export function createOtherEngines(connect: (host: string) => Engine): OtherEngines {
  const engines = new Map<string, OtherEngine>();

  const at = (host: string): OtherEngine => {
    const known = engines.get(host);
    if (known !== undefined) return known;
    const engine = connect(host);
    const other = { engine, identify: identifying(engine) };
    engines.set(host, other);
    return other;
  };

  return {
    async reach(id, host, signal) {
      const { engine, identify } = at(host);
      let answers: EngineId;
      try {
        answers = await identify(signal);
      } catch (error) {
        throw outOfReach(id, error);
      }
      if (!isSameEngine(answers, id)) throw anotherEngine(id, host, answers);
      return engine;
    },
    close() {
      for (const { engine } of engines.values()) engine.close();
      engines.clear();
    },
  };
}

/** Asks each time; of one that was out of reach, not again for a while. */
function identifying(engine: EngineReads): (signal: AbortSignal) => Promise<EngineId> {
  let refused: { readonly error: unknown; readonly untilMs: number } | undefined;
  const ask = sharedRun(async () => {
    try {
      const late = (): ComputeError => silentEngine(engine.address);
      const id = await withDeadline({ timeoutMs: identifyMs, late }, (signal) => engine.identify(signal));
      refused = undefined;
      return id;
    } catch (error) {
      refused = { error, untilMs: Date.now() + refusedForMs };
      throw error;
    }
  });
  return async (signal) => {
    if (signal.aborted) throw abortedCall(engine.address, signal.reason);
    if (refused !== undefined && Date.now() < refused.untilMs) throw refused.error;
    return ask(signal);
  };
}

function outOfReach(id: EngineId, error: unknown): unknown {
  if (!(error instanceof ComputeError)) return error;
  return new ComputeError(
    error.code,
    `the Docker Engine ${engineText(id)} still holds what was made there, and compute.docker leads to another one now: ${error.message}`,
    { cause: error },
  );
}

/** At the address of one engine another one answers: that says nothing of what the first one holds. */
export function anotherEngine(id: EngineId, host: string, answers: EngineId): ComputeError {
  return new ComputeError(
    'ProviderUnavailable',
    `the Docker Engine ${engineText(id)} still holds what was made there, and at ${host} another one answers now (${engineText(answers)})`,
  );
}

/** Whoever writes a status could have the operator connect to anything. `called`: the engine's name in the config, then. */
export function unlistedHost(id: EngineId, host: string, called: string | undefined): ComputeError {
  const name = called === undefined ? '' : ` (${cutText(called)})`;
  return new ComputeError(
    'ProviderUnavailable',
    `a placement of this tenant is on the Docker Engine ${engineText(id)}${name} at ${host}, where compute.docker does not lead: ` +
      'if it led there once, have compute.docker.engines name that engine, or list its address in compute.docker.former_hosts, ' +
      'until the place is empty',
  );
}
