import type { Placement } from '../../../../../api/status.ts';
import { ComputeError } from '../../../../errors.ts';
import { engineIdOf, engineText, isSameEngine } from '../../engine/engine-id.ts';
import type { EngineId } from '../../engine/engine-id.ts';
import type { Engine, EngineReads } from '../../engine/engine.ts';
import { engineIn } from '../../state/place/docker-placement.ts';
import type { EngineIdentity } from './engine-identity.ts';
import { anotherEngine, createOtherEngines, unlistedHost } from './other-engines.ts';

/** Which engine a placement is on: the one that the operator's config leads to, or one that it led to once. */
export interface EnginePlaces {
  /** See `Provider.locate`. A placement without an id was written when there was one engine only: this one. */
  locate(placement: Placement, signal: AbortSignal): Promise<Placement>;
  /**
   * The engine of a placement where it is another one; undefined, where that is known at once: it is the present one.
   * `fresh`: which one that is is asked for, not taken from what was told before. Rejects where it can't be reached, or told.
   */
  elsewhere(
    placement: Placement,
    how: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<Engine | undefined> | undefined;
  /** Whether the placement is on the engine that answered last. */
  isHere(placement: Placement): boolean;
  /** Throws where the placement is on another engine than the one that answered last. */
  assertHere(placement: Placement): void;
  /** Lets go of the other engines. */
  close(): void;
}

interface Reached {
  /** What the config calls the engine. */
  readonly name?: string | undefined;
  /** Makes the client of an engine at an address of before, which is one of `formerHosts`: a status is no config. */
  readonly connect: (host: string) => Engine;
  readonly formerHosts: readonly string[];
}

export function createEnginePlaces(
  engine: Pick<EngineReads, 'address'>,
  identity: EngineIdentity,
  { name = '', connect, formerHosts }: Reached,
): EnginePlaces {
  const others = createOtherEngines(connect);
  const search = async (
    {
      id,
      host,
      called,
    }: { readonly id: EngineId; readonly host: string; readonly called: string | undefined },
    { fresh, signal }: Parameters<EnginePlaces['elsewhere']>[1],
  ): Promise<Engine | undefined> => {
    const isAddressOfNow = host === engine.address;
    try {
      const present = await (fresh ? identity.ask(signal) : identity.known(signal));
      if (isSameEngine(present, id)) return undefined;
      if (isAddressOfNow) throw anotherEngine(id, host, present);
    } catch (error) {
      // That the one of now is silent says nothing of another.
      if (isAddressOfNow || signal.aborted) throw error;
    }
    if (!formerHosts.includes(host)) throw unlistedHost(id, host, called);
    return others.reach(id, host, signal);
  };

  const isHere = (id: EngineId | undefined): boolean => id === undefined || isSameEngine(id, identity.last);

  return {
    async locate(placement, signal) {
      // What is complete waits for no answer.
      const id = engineIdOf(placement);
      if (id !== undefined && identity.last === undefined) return placement;
      const present = await identity.known(signal);
      if (id !== undefined && !isSameEngine(id, present)) return placement;
      const { engine: _before, ...place } = placement;
      return { ...place, ...present, host: engine.address, ...engineIn(name) };
    },
    elsewhere(placement, how) {
      const { host = engine.address, engine: called } = placement;
      const id = engineIdOf(placement);
      if (id === undefined || (!how.fresh && isHere(id))) return undefined;
      return search({ id, host, called }, how);
    },
    isHere: (placement) => isHere(engineIdOf(placement)),
    close: () => others.close(),
    assertHere(placement) {
      const { last } = identity;
      const id = engineIdOf(placement);
      if (id === undefined || last === undefined || isSameEngine(id, last)) return;
      throw new ComputeError(
        'ProviderUnavailable',
        `at ${engine.address} another Docker Engine answers than a moment ago (${engineText(last)}, not ${engineText(id)})`,
      );
    },
  };
}
