import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import type { Tenant } from '../api/tenant.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { ComputeError } from '../compute/errors.ts';
import type { OwnedResource, Provider } from '../compute/provider.ts';
import type { Reaper } from './steps/reap.ts';
import { messageOf } from '../kube/client/kube-api-error.ts';
import type { Resource } from '../kube/client/resource.ts';

export interface OrphanReportOptions {
  readonly providers: EnabledProviders;
  /** The Tenants that this operator watches, and whether it knows them all by now. */
  readonly known: {
    hasSynced(): boolean;
    get(namespace: string, name: string): Tenant | undefined;
  };
  /** For those that it does not watch: another selector's, or in another namespace. */
  readonly tenants: Pick<Resource<Tenant>, 'get'>;
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly onCount: (provider: string, orphans: number) => void;
  /** Takes in each round what was found. */
  readonly reaper?: Reaper | undefined;
}

/** Orphans that were told of, by provider and resource. */
type Reported = Map<string, Set<string>>;

/**
 * Reports, every `intervalMs` until `signal` aborts, what this instance owns on the engines without a Tenant: each
 * orphan once in the log, their number as a metric. Only a reaper removes one: a Tenant deleted with Retain looks the same.
 * Volumes that outlived their Tenant, as volumePolicy has it, are told of, and are no orphans.
 */
export async function reportOrphans(options: OrphanReportOptions, signal: AbortSignal): Promise<void> {
  const reported: Reported = new Map();
  while (await sleep(options.intervalMs, signal, { ref: false })) {
    if (!options.known.hasSynced()) continue;
    for (const [name, { provider }] of options.providers) {
      try {
        await report(name, provider, { options, reported, signal });
      } catch (error) {
        // What can't be reached now is looked at in the next round.
        if (signal.aborted) return;
        if (error instanceof ComputeError) continue;
        options.logger.error({ err: error, provider: name }, 'the report of orphans failed');
      }
    }
  }
}

interface Round {
  readonly options: OrphanReportOptions;
  readonly reported: Reported;
  readonly signal: AbortSignal;
}

async function report(name: string, provider: Provider, round: Round): Promise<void> {
  const { options, reported, signal } = round;
  const told = reported.get(name) ?? new Set();
  const orphans: OwnedResource[] = [];
  for (const owned of await provider.list(signal)) {
    const isOrphan = await lacksTenant(owned, round);
    if (isOrphan === true || (isOrphan === undefined && told.has(owned.resource))) orphans.push(owned);
  }
  const fresh = orphans.filter(({ resource }) => !told.has(resource));
  // A Tenant that went between the two looks has taken with it what the first one saw.
  const still = fresh.length === 0 ? [] : (await provider.list(signal)).map(({ resource }) => resource);
  const confirmed = orphans.filter(({ resource }) => told.has(resource) || still.includes(resource));
  options.onCount(name, confirmed.filter(({ isData }) => !isData).length);
  // What has been taken back is told of again where it is orphaned again.
  reported.set(name, new Set(confirmed.map(({ resource }) => resource)));
  for (const orphan of confirmed) if (!told.has(orphan.resource)) tell(name, orphan, options.logger);
  await options.reaper?.round(provider, confirmed, signal);
}

function tell(
  provider: string,
  { resource, tenantId, isData, ...owner }: OwnedResource,
  logger: Logger,
): void {
  const facts = { provider, resource, tenantId, tenant: `${owner.namespace}/${owner.name}` };
  if (isData) {
    logger.info(
      facts,
      'kept: the data of a Tenant that is gone; apply it again to use it, or remove it by hand',
    );
    return;
  }
  logger.warn(
    facts,
    'orphan: there is no such Tenant; apply it again to take it back, or remove the resource by hand',
  );
}

/** Undefined: nobody here can tell. */
async function lacksTenant(
  { namespace, name }: OwnedResource,
  { options, signal }: Round,
): Promise<boolean | undefined> {
  if (options.known.get(namespace, name) !== undefined) return false;
  try {
    return (await options.tenants.get(name, namespace, { signal })) === undefined;
  } catch (error) {
    options.logger.debug(
      { tenant: `${namespace}/${name}`, error: messageOf(error) },
      'whether this Tenant is there can not be told',
    );
    return undefined;
  }
}
