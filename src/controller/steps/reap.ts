import type { Logger } from 'pino';
import { apiVersion, kind } from '../../api/names.ts';
import type { Tenant } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import { placeText } from '../../compute/place.ts';
import type { OwnedResource, Provider, TenantPlace } from '../../compute/provider.ts';
import { messageOf } from '../../kube/client/kube-api-error.ts';
import type { Resource } from '../../kube/client/resource.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { permitToReap } from './gate.ts';

/** Removes what runs for Tenants that are gone, where the operator's config asks for that. Off by default. */

export interface ReaperOptions {
  readonly gracePeriodMs: number;
  /** Only tells what would go. */
  readonly dryRun: boolean;
  /**
   * Where Tenants may leave behind what they run, what has none may have been left on purpose; also where nobody can tell
   * now (undefined).
   */
  readonly mayRetain: (namespace: string) => boolean | undefined;
  readonly tenants: Pick<Resource<Tenant>, 'list'>;
  /** How many Tenants the operator knows of. */
  readonly known: () => number;
  readonly events: Pick<EventRecorder, 'emit'>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onDue: (provider: string, places: number) => void;
  readonly onReaped: (provider: string) => void;
}

export interface Reaper {
  /** `orphans`: all that is there, by now, without a Tenant. Takes a step at each place whose time has come. */
  round(where: ReapedPart, orphans: readonly OwnedResource[], signal: AbortSignal): Promise<void>;
}

/** A provider, or one of its domains. */
export interface ReapedPart {
  readonly provider: Provider;
  readonly domain?: string | undefined;
}

/** What a Tenant that is gone has at one place, and since when (by the clock of this process) it is known to be gone. */
interface Dangling {
  readonly place: TenantPlace;
  readonly since: number;
  told: boolean;
}

export function createReaper(options: ReaperOptions): Reaper {
  const known = new Map<Provider, Map<string | undefined, Map<string, Dangling>>>();
  return {
    async round({ provider, domain }, orphans, signal) {
      // A CRD that was made anew has no Tenant, and says nothing of those that it had: once there is one, time begins anew.
      if (options.known() === 0) {
        known.delete(provider);
        return options.onDue(provider.name, 0);
      }
      const parts = known.get(provider) ?? new Map<string | undefined, Map<string, Dangling>>();
      known.set(provider, parts);
      const dangling = danglingIn(orphans, parts.get(domain), options.now());
      parts.set(domain, dangling);
      const dueIn = (part: ReadonlyMap<string, Dangling>): readonly Dangling[] =>
        [...part.values()].filter((one) => isDue(options, one));
      const due = dueIn(dangling);
      options.onDue(
        provider.name,
        [...parts.values()].reduce((sum, part) => sum + dueIn(part).length, 0),
      );
      for (const one of due) {
        if (options.dryRun) tellOnce(options, one);
        else await reap(options, { provider, place: one.place }, signal);
      }
    },
  };
}

/** What somebody takes back meanwhile is forgotten: its time begins anew. */
function danglingIn(
  orphans: readonly OwnedResource[],
  before: ReadonlyMap<string, Dangling> | undefined,
  now: number,
): Map<string, Dangling> {
  const found = new Map<string, Dangling>();
  for (const { isData, tenantId, namespace, name, placement } of orphans) {
    if (isData) continue;
    const place = { tenantId, namespace, name, placement };
    const key = JSON.stringify([tenantId, namespace, name, placeText(placement)]);
    found.set(key, before?.get(key) ?? { place, since: now, told: false });
  }
  return found;
}

function isDue({ gracePeriodMs, mayRetain, now }: ReaperOptions, { place, since }: Dangling): boolean {
  return now() - since >= gracePeriodMs && mayRetain(place.namespace) === false;
}

function tellOnce(options: ReaperOptions, one: Dangling): void {
  if (one.told) return;
  one.told = true;
  tell(options, one.place, 'would be removed now, but for controller.reaper.dry_run');
}

function tell({ logger, events }: ReaperOptions, place: TenantPlace, what: string): void {
  const { namespace, name, placement } = place;
  const note = `what runs at ${placeText(placement)} for the Tenant ${namespace}/${name}, which is gone, ${what}`;
  logger.warn({ tenant: `${namespace}/${name}`, placement: placeText(placement) }, note);
  events.emit({
    regarding: { apiVersion, kind, name, namespace },
    type: 'Warning',
    reason: 'Orphaned',
    action: 'Reap',
    note,
  });
}

interface Reaping {
  readonly provider: Provider;
  readonly place: TenantPlace;
}

async function reap(
  options: ReaperOptions,
  { provider, place }: Reaping,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = place;
  try {
    if (!(await isAbsent(options, place, signal))) return;
    const { outcome, message } = await provider.destroy(place, permitToReap(), signal);
    if (outcome !== 'gone') {
      options.logger.info({ tenant: `${namespace}/${name}` }, `reaping: ${message}`);
      return;
    }
    tell(options, place, 'was removed, but for its volumes');
    options.onReaped(provider.name);
  } catch (error) {
    if (signal.aborted) return;
    // The next round tries again. One that fails holds up no other.
    const tenant = `${namespace}/${name}`;
    if (error instanceof ComputeError) options.logger.warn({ tenant }, `reaping failed: ${error.message}`);
    else options.logger.error({ err: error, tenant }, 'reaping failed');
  }
}

/**
 * Asked of the apiserver right before, and by a list: that is refused where Tenants are not served at all, when asking for
 * one Tenant is answered as if there were none.
 */
async function isAbsent(
  { tenants, logger }: ReaperOptions,
  { namespace, name }: TenantPlace,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { items } = await tenants.list({ namespace, fieldSelector: `metadata.name=${name}`, signal });
    return !items.some(({ metadata }) => metadata.name === name);
  } catch (error) {
    logger.debug(
      { tenant: `${namespace}/${name}`, error: messageOf(error) },
      'not reaped: is it really gone?',
    );
    return false;
  }
}
