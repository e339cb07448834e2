import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import type { Running, Truth } from './truth.ts';
import type { Usage } from './usage.ts';
import { containersOf } from './workload.ts';
import type { Wanted } from './workload.ts';

/** What was promised and is not so, a line each: pure. */

/** The statuses: each Tenant that is wanted is there and Ready as it is wanted, and nobody else is there. */
export function unready(wanted: readonly Wanted[], tenants: readonly Tenant[]): readonly string[] {
  const there = new Map(tenants.map((tenant) => [tenant.metadata.name, tenant]));
  const names = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.flatMap((one) => wrongStatus(one, there.get(one.name))),
    ...tenants
      .filter(({ metadata }) => !names.has(metadata.name))
      .map((tenant) => `${tenant.metadata.name} should be gone: ${describe(tenant)}`),
  ];
}

function wrongStatus({ name, provider }: Wanted, tenant: Tenant | undefined): string[] {
  if (tenant === undefined) return [`${name} is not there`];
  const { metadata, status } = tenant;
  const ready = findCondition(status?.conditions, 'Ready');
  const isReady = ready?.status === 'True' && ready.reason === 'Running';
  if (!isReady || status?.observedGeneration !== metadata.generation)
    return [`${name} on ${provider} is not Ready: ${describe(tenant)}`];
  const left = status?.previousPlacements ?? [];
  return [
    ...(status?.computeProvider === provider
      ? []
      : [`${name} is on ${status?.computeProvider}, not on ${provider}`]),
    ...(left.length === 0 ? [] : [`${name} has not left ${JSON.stringify(left)}`]),
  ];
}

function describe({ metadata, status }: Tenant): string {
  const ready = findCondition(status?.conditions, 'Ready');
  const generations = `generation ${metadata.generation}, observed ${status?.observedGeneration}`;
  return `${ready?.status} ${ready?.reason} (${generations}): ${ready?.message}`;
}

/** The engines: what runs is what is wanted, nothing more and nothing less. */
export function unlike(
  wanted: readonly Wanted[],
  truth: Truth,
  imageOf: (tag: string) => string,
): readonly string[] {
  const running = Map.groupBy(truth.running, ({ tenant, provider }) => `${tenant} on ${provider}`);
  const expected = new Map(
    wanted
      .filter(({ provider }) => provider !== 'mock')
      .map((one) => [`${one.name} on ${one.provider}`, wantedState(one, imageOf)]),
  );
  return [
    ...[...expected].flatMap(([where, state]) => {
      const seen = (running.get(where) ?? []).map(seenState).toSorted();
      return seen.join('; ') === state ? [] : [`${where} runs [${seen.join('; ')}], wanted is [${state}]`];
    }),
    ...[...running]
      .filter(([where]) => !expected.has(where))
      .map(([where, seen]) => `${where} runs and nobody wants it: ${seen.map(seenState).join('; ')}`),
    ...truth.belongings
      .filter(({ tenant, provider }) => !expected.has(`${tenant} on ${provider}`))
      .map(({ tenant, provider, what }) => `${what} of ${tenant} is left on ${provider}`),
  ];
}

function wantedState(one: Wanted, imageOf: (tag: string) => string): string {
  const what = `${imageOf(one.tag)} revision ${one.revision}`;
  if (one.provider === 'ecs') return `ACTIVE ${one.replicas}/${one.replicas} ${what}`;
  return containersOf(one)
    .map((container) => `${container} running ${what}`)
    .toSorted()
    .join('; ');
}

function seenState({ state, image, revision }: Running): string {
  return `${state} ${image} revision ${revision}`;
}

/** Ids of what ran before and doesn't any more, or the reverse: somebody was restarted for nothing. */
export function restarted(before: Truth, after: Truth): readonly string[] {
  const had = new Set(before.running.map(({ id }) => id));
  return after.running
    .filter(({ id }) => !had.has(id))
    .map(({ tenant, provider }) => `${tenant} on ${provider} was made anew while nothing happened`);
}

/** What V8 keeps of a busy time, and what the kernel counts as resident of it, varies by this much. */
const memoryFactor = 1.3;
const memorySlackMb = 25;
/** Idle connections of a pool. */
const handleSlack = 8;

export function grown(base: Usage, now: Usage): readonly string[] {
  const limitMb = base.memoryMb * memoryFactor + memorySlackMb;
  return [
    ...(now.memoryMb <= limitMb
      ? []
      : [`the operator holds ${now.memoryMb.toFixed(0)} MB, at its base ${base.memoryMb.toFixed(0)} MB`]),
    ...(now.handles <= base.handles + handleSlack
      ? []
      : [`the operator holds ${now.handles} files and sockets, at its base ${base.handles}`]),
  ];
}
