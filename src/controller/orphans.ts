import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import type { Tenant } from '../api/tenant.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { ComputeError } from '../compute/errors.ts';
import { maybeSamePlace } from '../compute/place.ts';
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

/** What the last round found in a part of a provider, by resource. */
interface Found {
  /** Told of as orphans. */
  readonly told: ReadonlySet<string>;
  /** Of Tenants whose status leads elsewhere. */
  readonly strays: ReadonlySet<string>;
  /** Without data. */
  readonly count: number;
}

/**
 * Reports, every `intervalMs` until `signal` aborts, what this instance owns on the engines without a Tenant: each
 * orphan once in the log, their number as a metric. Only a reaper removes one: a Tenant deleted with Retain looks the same.
 * Volumes that outlived their Tenant, as volumePolicy has it, are told of, and are no orphans.
 *
 * What a Tenant of that name has at a place that its status does not name is an orphan, too, once two rounds in a row have
 * found it so: a Tenant deleted with Retain, and applied again for another provider. That is for a person to remove.
 *
 * Each domain that a provider can list is looked at by itself: of one that does not answer, what was found last still counts.
 */
export async function reportOrphans(options: OrphanReportOptions, signal: AbortSignal): Promise<void> {
  const parts = [...options.providers].flatMap(([name, { provider }]) => {
    const reported = new Map<string | undefined, Found>();
    return (provider.domains ?? [undefined]).map((domain): Part => ({ name, provider, domain, reported }));
  });
  while (await sleep(options.intervalMs, signal, { ref: false })) {
    if (!options.known.hasSynced()) continue;
    for (const part of parts) {
      try {
        await report(part, { options, signal });
      } catch (error) {
        // What can't be reached now is looked at in the next round.
        if (signal.aborted) return;
        if (error instanceof ComputeError) continue;
        options.logger.error({ err: error, provider: part.name }, 'the report of orphans failed');
      }
    }
  }
}

interface Part {
  readonly name: string;
  readonly provider: Provider;
  readonly domain: string | undefined;
  /** By domain of its provider. */
  readonly reported: Map<string | undefined, Found>;
}

interface Round {
  readonly options: OrphanReportOptions;
  readonly signal: AbortSignal;
}

const nothing: Found = { told: new Set(), strays: new Set(), count: 0 };

async function report(part: Part, round: Round): Promise<void> {
  const { name, provider, domain, reported } = part;
  const { options, signal } = round;
  const { told, strays } = reported.get(domain) ?? nothing;
  const orphans: OwnedResource[] = [];
  const astray: OwnedResource[] = [];
  for (const owned of await provider.list(signal, domain)) {
    const tenant = await tenantOf(owned, round);
    if (tenant === 'none' || (tenant === 'unknown' && told.has(owned.resource))) orphans.push(owned);
    else if (typeof tenant === 'object' && isAstray(owned, tenant)) astray.push(owned);
  }
  const found = [...orphans, ...astray.filter(({ resource }) => strays.has(resource))];
  const isFresh = ({ resource }: OwnedResource): boolean => !told.has(resource);
  // A Tenant that went between the two looks has taken with it what the first one saw.
  const still = found.some(isFresh)
    ? (await provider.list(signal, domain)).map(({ resource }) => resource)
    : [];
  const confirmed = found.filter((one) => !isFresh(one) || still.includes(one.resource));
  // What has been taken back is told of again where it is orphaned again.
  const count = confirmed.filter(({ isData }) => !isData).length;
  reported.set(domain, { told: resourcesOf(confirmed), strays: resourcesOf(astray), count });
  options.onCount(
    name,
    [...reported.values()].reduce((sum, one) => sum + one.count, 0),
  );
  for (const orphan of confirmed.filter(isFresh))
    tell(options, part, { ...orphan, isAstray: astray.includes(orphan) });
  await options.reaper?.round(
    { provider, domain },
    confirmed.filter((one) => !astray.includes(one)),
    signal,
  );
}

function resourcesOf(owned: readonly OwnedResource[]): ReadonlySet<string> {
  return new Set(owned.map(({ resource }) => resource));
}

/** Volumes stay where a Tenant was, and its status names them. One that is being deleted, or has no place yet, tells nothing. */
function isAstray({ isData, placement }: OwnedResource, { metadata, status }: Tenant): boolean {
  if (isData || status?.placement === undefined || metadata.deletionTimestamp !== undefined) return false;
  return ![status.placement, ...(status.previousPlacements ?? [])].some((place) =>
    maybeSamePlace(place, placement),
  );
}

function tell(
  { logger }: OrphanReportOptions,
  { name: provider, domain = '' }: Part,
  { resource, tenantId, isData, ...owner }: OwnedResource & { readonly isAstray: boolean },
): void {
  const tenant = `${owner.namespace}/${owner.name}`;
  const facts = { provider, ...(domain !== '' && { domain }), resource, tenantId, tenant };
  if (isData) logger.info(facts, keptWords);
  else logger.warn(facts, owner.isAstray ? strayWords : orphanWords);
}

const keptWords = 'kept: the data of a Tenant that is gone; apply it again to use it, or remove it by hand';
const orphanWords =
  'orphan: there is no such Tenant; apply it again to take it back, or remove the resource by hand';
const strayWords =
  'orphan: the Tenant of that name runs elsewhere, and its status does not name this place; remove the resource by hand, or move the Tenant here to take it back';

/** Of one that another operator watches, it is told only that it is there. */
async function tenantOf(
  { namespace, name }: OwnedResource,
  { options, signal }: Round,
): Promise<Tenant | 'anothers' | 'none' | 'unknown'> {
  const known = options.known.get(namespace, name);
  if (known !== undefined) return known;
  try {
    const tenant = await options.tenants.get(name, namespace, { signal });
    return tenant === undefined ? 'none' : 'anothers';
  } catch (error) {
    options.logger.debug(
      { tenant: `${namespace}/${name}`, error: messageOf(error) },
      'whether this Tenant is there can not be told',
    );
    return 'unknown';
  }
}
