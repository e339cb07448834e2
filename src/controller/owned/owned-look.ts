import { sharedRun } from '../../async/shared-run.ts';
import type { OwnedResource } from '../../compute/provider.ts';
import type { EnabledProvider, EnabledProviders } from '../../compute/selection/enabled-providers.ts';

/** Everything on the provider's engine that this instance made, as it is now. Rejects as `Provider.list` does. */
export type OwnedLook = (enabled: EnabledProvider, signal: AbortSignal) => Promise<readonly OwnedResource[]>;

/** Passes that ask at the same time share one list. */
export function createOwnedLook(providers: EnabledProviders): OwnedLook {
  const looks = new Map(
    [...providers.values()].map((enabled) => [
      enabled,
      // No asker's signal: the list serves many. The engine's own deadlines end it.
      sharedRun(() => enabled.provider.list(new AbortController().signal)),
    ]),
  );
  return (enabled, signal) => looks.get(enabled)?.(signal) ?? enabled.provider.list(signal);
}
