import { z } from 'zod';
import type { Effect, Endpoint, Placement } from '../../src/api/status.ts';
import { untilAborted } from '../../src/async/until-aborted.ts';
import { consentTo } from '../../src/compute/permit.ts';
import type { Permit } from '../../src/compute/permit.ts';
import type { EnabledProvider } from '../../src/compute/selection/enabled-providers.ts';
import type {
  Change,
  Desired,
  DestroyResult,
  Observation,
  OwnedResource,
  Provider,
  StepResult,
} from '../../src/compute/provider.ts';
import type { EnvVar, TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';

/** A provider in memory whose tenants run at once, unless a test says what happens instead; it records its calls. */
export interface ScriptedProvider {
  readonly enabled: EnabledProvider;
  readonly calls: ProviderCall[];
  /** What runs, by tenant id and place: `team-a-acme-9201d5e7@docker/here`. */
  readonly workloads: Map<string, Workload>;
  /** Next results of provision, update, hold and destroy; what is done and gone without. */
  readonly steps: StepResult[];
  readonly destroys: DestroyResult[];
  /** Operations that wait for this, as on an engine that answers nothing. */
  readonly held: Map<Operation, Promise<void>>;
  /** Rejections by operation, until they are removed. */
  readonly failures: Map<Operation, Error>;
  /** What a tenant shows after the next step, whatever that does; else that it runs, as before. */
  showsAfterStep: Partial<Observation> | undefined;
  /** What the report of orphans sees. */
  owned: readonly OwnedResource[];
  /** As a change seen on the engine. */
  hint(tenantId?: string): void;
  readonly closed: boolean;
}

export type Operation =
  'desired' | 'validate' | 'provision' | 'update' | 'hold' | 'destroy' | 'getStatus' | 'list';

export interface ProviderCall {
  readonly operation: Operation;
  /** Tenant id and place; `fresh` where it is asked for. */
  readonly what: string;
}

export interface Workload {
  specHash: string;
  /** What was changed behind the operator. */
  drift: Change[];
  endpoints?: Endpoint[];
  /** Of a rollout. Default: `replace`. */
  effect?: Effect;
  /** What an update turns out to need, whatever its effect was announced to be. */
  needs?: Effect;
  /** Shown in place of running and healthy. */
  shows: Partial<Observation>;
}

export interface ScriptedProviderOptions {
  readonly durable?: boolean;
  readonly secrets?: 'values' | 'references';
}

export const block = z.looseObject({
  image: z.string().optional(),
  place: z.string().optional(),
  count: z.int().optional(),
});

export function scriptedProvider(name: string, options: ScriptedProviderOptions = {}): ScriptedProvider {
  const { durable = true, secrets = 'values' } = options;
  const calls: ProviderCall[] = [];
  const workloads = new Map<string, Workload>();
  const steps: StepResult[] = [];
  const destroys: DestroyResult[] = [];
  const held = new Map<Operation, Promise<void>>();
  const failures = new Map<Operation, Error>();
  let onChange: (tenantId: string | undefined) => void = () => undefined;

  const call = async (operation: Operation, what: string): Promise<void> => {
    calls.push({ operation, what });
    await held.get(operation);
    const failure = failures.get(operation);
    if (failure !== undefined) throw failure;
  };
  const placeOf = ({ config }: TenantComputeSpec): Placement => {
    const place = config['place'];
    return typeof place === 'string' ? { provider: name, place } : { provider: name };
  };
  const keyOf = (tenantId: string, { place }: Placement): string =>
    `${tenantId}@${name}${typeof place === 'string' ? `/${place}` : ''}`;
  const desired = (spec: TenantComputeSpec): Desired => ({
    tenantId: spec.tenantId,
    namespace: spec.tenant.namespace,
    name: spec.tenant.name,
    placement: placeOf(spec),
    domain: name,
    specHash: hashOf(spec),
  });
  const take = async (
    operation: 'provision' | 'update' | 'hold',
    { tenantId, placement, specHash }: Desired,
    permit: Permit,
  ): Promise<StepResult> => {
    const key = keyOf(tenantId, placement);
    await call(operation, key);
    const before = workloads.get(key);
    if (operation === 'update' && before?.needs !== undefined) consentTo(permit, before.needs, 'stopping it');
    const result = steps.shift() ?? { outcome: 'done', message: 'runs' };
    const shows = provided.showsAfterStep ?? before?.shows ?? {};
    if (result.outcome === 'done') {
      const applied = operation === 'hold' ? (before?.specHash ?? '') : specHash;
      workloads.set(key, { ...before, specHash: applied, drift: [], shows });
    } else if (before !== undefined) before.shows = shows;
    return result;
  };

  const provider: Provider = {
    name,
    desired(spec) {
      const failure = failures.get('desired');
      if (failure !== undefined) throw failure;
      return desired(spec);
    },
    validate: ({ tenantId, placement }) => call('validate', keyOf(tenantId, placement)),
    provision: (wanted, permit) => take('provision', wanted, permit),
    update: (wanted, permit) => take('update', wanted, permit),
    hold: (wanted, permit) => take('hold', wanted, permit),
    async destroy({ tenantId, placement }) {
      const key = keyOf(tenantId, placement);
      await call('destroy', key);
      const result = destroys.shift() ?? { outcome: 'gone', message: 'nothing is left' };
      if (result.outcome === 'gone') workloads.delete(key);
      return result;
    },
    async getStatus({ tenantId, placement }, against, { fresh }) {
      const key = keyOf(tenantId, placement);
      await call('getStatus', fresh ? `${key} fresh` : key);
      return observe(workloads.get(key), against);
    },
    async list() {
      await call('list', name);
      return provided.owned;
    },
    watch(listener, signal) {
      onChange = listener;
      return untilAborted(signal);
    },
    async close() {
      provided.closed = true;
    },
  };
  const provided = {
    enabled: {
      provider,
      block: {},
      definition: {
        name,
        durable,
        secrets,
        tenantBlock: block,
        mergedBlock: block,
        operatorBlock: block,
        policyBlock: z.strictObject({}),
        sharedKeys: ['image'],
        load: async () => () => provider,
      },
    },
    calls,
    workloads,
    steps,
    destroys,
    held,
    failures,
    showsAfterStep: undefined as Partial<Observation> | undefined,
    owned: [] as readonly OwnedResource[],
    hint: (tenantId?: string) => onChange(tenantId),
    closed: false,
  };
  return provided;
}

/** Readable, so that a test can name it: image, containers with their environment and the values of their Secrets. */
function hashOf({ config, containers }: TenantComputeSpec): string {
  const parts = containers.map(({ name, image, env }) => `${name}=${image}(${env.map(valueOf).join(',')})`);
  return [`image=${(config['image'] as string | undefined) ?? ''}`, ...parts].join(' ');
}

function valueOf(variable: EnvVar): string {
  if ('value' in variable) return `${variable.name}:${variable.value}`;
  return `${variable.name}:${variable.secret?.reveal() ?? '?'}`;
}

function observe(workload: Workload | undefined, against: Desired | undefined): Observation {
  if (workload === undefined) {
    return {
      exists: false,
      changes: [],
      compute: { state: 'stopped', health: 'unknown', running: 0, desired: against === undefined ? 0 : 1 },
    };
  }
  const { specHash, drift, endpoints, shows, effect = 'replace' } = workload;
  const rollout: Change[] =
    against === undefined || against.specHash === specHash
      ? []
      : [{ path: 'image', desired: against.specHash, actual: specHash, cause: 'spec', effect }];
  return {
    exists: true,
    changes: against === undefined ? [] : [...rollout, ...drift],
    compute: {
      state: 'running',
      health: 'healthy',
      running: 1,
      desired: 1,
      ...(endpoints === undefined ? {} : { endpoints }),
    },
    ...shows,
  };
}

/** How the operations of `calls` follow each other, looks left out. */
export function changesIn(calls: readonly ProviderCall[]): string[] {
  const changing: readonly Operation[] = ['provision', 'update', 'hold', 'destroy'];
  return calls
    .filter(({ operation }) => changing.includes(operation))
    .map(({ operation, what }) => `${operation} ${what}`);
}
