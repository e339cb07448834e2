import { sleep } from '../../../async/sleep.ts';
import { untilAborted } from '../../../async/until-aborted.ts';
import { ComputeError } from '../../errors.ts';
import type {
  Change,
  CreateProvider,
  Observation,
  OwnedResource,
  PlacedTenant,
  Provider,
  ProviderContext,
  StepResult,
} from '../../provider.ts';
import { checkCommonPolicy } from '../../policy.ts';
import { specHash as hashSpec } from '../../spec/spec-hash.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import type { MockConfig, MockOperation } from './config.ts';

/** What the mock engine remembers of one tenant. */
interface MockWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly config: MockConfig;
  readonly specHash: string;
  /** Date.now() from which on it runs. */
  readonly readyAt: number;
}

/**
 * The provider for tests and demos: a map in memory, with the faults that its block asks for.
 * It forgets everything with the process; the next pass over each tenant makes it anew without a write.
 */
export const createMockProvider: CreateProvider = (_options, context) => mockProvider(context);

function mockProvider({ instance, policy }: ProviderContext): Provider {
  const workloads = new Map<string, MockWorkload>();
  const failures = new Map<string, number>();

  const step = async (
    operation: MockOperation,
    tenantId: string,
    config: MockConfig,
    signal: AbortSignal,
  ) => {
    const latencyMs = config.latency_ms ?? 0;
    if (latencyMs > 0) await sleep(latencyMs, signal);
    if (config.fail_on?.includes(operation) !== true) return;
    const key = `${operation}/${tenantId}`;
    const failed = failures.get(key) ?? 0;
    if (failed >= (config.fail_times ?? Infinity)) return;
    failures.set(key, failed + 1);
    throw new ComputeError(
      config.fail_code ?? 'ProviderUnavailable',
      `mock: ${operation} fails because computeConfig.mock.fail_on asks for it`,
    );
  };

  const hashOf = (spec: TenantComputeSpec): string =>
    hashSpec('v1', instance, { config: spec.config, containers: spec.containers, resources: spec.resources });

  const put = (spec: TenantComputeSpec): StepResult => {
    const config = spec.config as MockConfig;
    const { namespace, name } = spec.tenant;
    const specHash = hashOf(spec);
    // The same again changes nothing: it does not start anew.
    if (workloads.get(spec.tenantId)?.specHash !== specHash) {
      const readyAt = Date.now() + (config.ready_after_ms ?? 0);
      workloads.set(spec.tenantId, { namespace, name, config, specHash, readyAt });
    }
    return { outcome: 'done', message: 'mock compute is running' };
  };

  return {
    name: 'mock',
    durable: false,
    needsSecretValues: true,
    desire(spec) {
      checkCommonPolicy(policy, spec.containers);
      return { placement: { provider: 'mock' }, specHash: hashOf(spec) };
    },
    validate: (spec, signal) => step('validate', spec.tenantId, spec.config, signal),

    async provision(spec, signal) {
      await step('provision', spec.tenantId, spec.config, signal);
      return put(spec);
    },

    async update(spec, signal, options) {
      if (options?.keep === true) return { outcome: 'done', message: 'kept as it was' };
      await step('update', spec.tenantId, spec.config, signal);
      if ((spec.config as MockConfig).roll_back === true) {
        return { outcome: 'rolled_back', reason: 'RolledBack', message: 'mock: roll_back asks for it' };
      }
      return put(spec);
    },

    async destroy({ tenantId }, signal) {
      await step('destroy', tenantId, workloads.get(tenantId)?.config ?? {}, signal);
      workloads.delete(tenantId);
      for (const key of failures.keys()) if (key.endsWith(`/${tenantId}`)) failures.delete(key);
      return { outcome: 'gone', message: 'nothing is left' };
    },

    async getStatus(ref, spec, signal) {
      const workload = workloads.get(ref.tenantId);
      await step('get_status', ref.tenantId, workload?.config ?? {}, signal);
      return observe(ref, workload, spec === undefined ? undefined : hashOf(spec));
    },

    list: async () => [...workloads].map(([tenantId, workload]) => ownedResource(tenantId, workload)),

    watch: (_onChange, signal) => untilAborted(signal),

    close: async () => undefined,
  };
}

function ownedResource(tenantId: string, { namespace, name }: MockWorkload): OwnedResource {
  return { tenantId, namespace, name, resource: `workload ${tenantId}` };
}

function observe(
  ref: PlacedTenant,
  workload: MockWorkload | undefined,
  desiredHash: string | undefined,
): Observation {
  if (workload === undefined) {
    return {
      exists: false,
      changes: [],
      compute: { state: 'stopped', health: 'unknown', running: 0, desired: 0 },
    };
  }
  const desired = workload.config.desired ?? 1;
  const waitMs = workload.readyAt - Date.now();
  const resourceIds = { workload: ref.tenantId };
  const changes: Change[] =
    desiredHash === undefined || desiredHash === workload.specHash
      ? []
      : [{ path: 'workload', desired: desiredHash, actual: workload.specHash, cause: 'spec' }];
  if (waitMs > 0) {
    return {
      exists: true,
      changes,
      compute: { state: 'starting', health: 'unknown', running: 0, desired, resourceIds },
      message: 'mock compute is starting',
      lookAgainAfterMs: waitMs,
    };
  }
  const health = workload.config.health ?? 'healthy';
  return {
    exists: true,
    changes,
    compute: { state: 'running', health, running: desired, desired, resourceIds },
    ...(health === 'unhealthy'
      ? { message: 'mock compute is unhealthy because computeConfig.mock.health asks for it' }
      : {}),
  };
}
