import { sharedRun } from '../../async/shared-run.ts';
import type { OwnedResource } from '../../compute/provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';

/** Where something may be owned: a provider, and one of its domains; undefined: all of them. */
export interface Whereabouts {
  readonly enabled: EnabledProvider;
  readonly domain?: string | undefined;
}

/** Everything there that this instance made, as it is now. Rejects as `Provider.list` does. */
export type OwnedLook = (where: Whereabouts, signal: AbortSignal) => Promise<readonly OwnedResource[]>;

type Look = (signal: AbortSignal) => Promise<readonly OwnedResource[]>;

/** Passes that ask at the same time share one list. */
export function createOwnedLook(): OwnedLook {
  const looks = new WeakMap<EnabledProvider, Map<string | undefined, Look>>();
  return ({ enabled, domain }, signal) => {
    const known = looks.get(enabled) ?? new Map<string | undefined, Look>();
    looks.set(enabled, known);
    // No asker's signal: the list serves many. The engine's own deadlines end it.
    const look =
      known.get(domain) ?? sharedRun(() => enabled.provider.list(new AbortController().signal, domain));
    known.set(domain, look);
    return look(signal);
  };
}
