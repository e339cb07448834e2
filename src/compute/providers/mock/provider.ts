import { sleep } from '../../../async/sleep.ts';
import { untilAborted } from '../../../async/until-aborted.ts';
import { ComputeError } from '../../errors.ts';
import type {
  Change,
  CreateProvider,
  Desired,
  Observation,
  OwnedResource,
  Provider,
  ProviderContext,
  StepResult,
} from '../../provider.ts';
import { policyFor } from '../../policy-by-namespace.ts';
import { checkCommonPolicy } from '../../policy.ts';
import { sealedHash } from '../../spec/spec-hash.ts';
import type { HashKey } from '../../spec/spec-hash.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import type { MockConfig, MockOperation } from './config.ts';

interface DesiredWorkload extends Desired {
  readonly config: MockConfig;
  /** How many to pretend. */
  readonly count: number;
}

/** What the mock engine remembers of one tenant. */
interface Workload extends Pick<DesiredWorkload, 'namespace' | 'name' | 'config' | 'count' | 'specHash'> {
  /** Date.now() from which on it runs. */
  readonly readyAt: number;
}

/**
 * The provider for tests and demos: a map in memory, with the faults that its block asks for.
 * It forgets everything with the process; the next pass over each tenant makes it anew without a write.
 */
export const createMockProvider: CreateProvider = (_options, context) => mockProvider(context);

function mockProvider({ instance, policy, hashKey }: ProviderContext): Provider<DesiredWorkload> {
  const workloads = new Map<string, Workload>();
  const fail = scriptedFailures();

  const put = ({ tenantId, namespace, name, config, count, specHash }: DesiredWorkload): StepResult => {
    // The same again changes nothing: it does not start anew.
    if (workloads.get(tenantId)?.specHash !== specHash) {
      const readyAt = Date.now() + (config.ready_after_ms ?? 0);
      workloads.set(tenantId, { namespace, name, config, count, specHash, readyAt });
    }
    return { outcome: 'done', message: 'mock compute is running' };
  };

  return {
    name: 'mock',
    desired(spec) {
      checkCommonPolicy(policyFor(policy, spec.tenant.namespace), spec.containers);
      return desiredWorkload(spec, { instance, hashKey });
    },
    validate: ({ tenantId, config }, signal) => fail.orWait('validate', { tenantId, config }, signal),

    async provision(desired, _permit, signal) {
      await fail.orWait('provision', desired, signal);
      return put(desired);
    },

    async update(desired, _permit, signal) {
      await fail.orWait('update', desired, signal);
      if (desired.config.roll_back === true) {
        return { outcome: 'rolled_back', reason: 'RolledBack', message: 'mock: roll_back asks for it' };
      }
      return put(desired);
    },

    hold: async () => ({ outcome: 'done', message: 'kept as it was' }),

    async destroy({ tenantId }, _permit, signal) {
      await fail.orWait('destroy', { tenantId, config: workloads.get(tenantId)?.config ?? {} }, signal);
      workloads.delete(tenantId);
      fail.forget(tenantId);
      return { outcome: 'gone', message: 'nothing is left' };
    },

    async getStatus({ tenantId }, against, { signal }) {
      const workload = workloads.get(tenantId);
      await fail.orWait('get_status', { tenantId, config: workload?.config ?? {} }, signal);
      return observe(tenantId, workload, against?.specHash);
    },

    list: async () => [...workloads].map(([tenantId, workload]) => ownedResource(tenantId, workload)),

    watch: (_onChange, signal) => untilAborted(signal),

    close: async () => undefined,
  };
}

function desiredWorkload(
  spec: TenantComputeSpec,
  { instance, hashKey }: { readonly instance: string; readonly hashKey: HashKey },
): DesiredWorkload {
  const { tenantId, tenant, containers, replicas, volumes, resources } = spec;
  const config: MockConfig = spec.config;
  return {
    tenantId,
    namespace: tenant.namespace,
    name: tenant.name,
    placement: { provider: 'mock' },
    domain: 'mock',
    specHash: sealedHash(
      { version: 'v2', cluster: instance, key: hashKey, subject: [tenant.namespace, tenant.name, tenantId] },
      { config, containers, replicas, volumes, resources },
    ),
    config,
    count: replicas ?? config.desired ?? 1,
  };
}

/** The latency and the failures that a tenant's block asks for, counted per tenant. */
function scriptedFailures() {
  const failures = new Map<string, number>();
  return {
    async orWait(
      operation: MockOperation,
      { tenantId, config }: { readonly tenantId: string; readonly config: MockConfig },
      signal: AbortSignal,
    ): Promise<void> {
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
    },
    forget(tenantId: string): void {
      for (const key of failures.keys()) if (key.endsWith(`/${tenantId}`)) failures.delete(key);
    },
  };
}

function ownedResource(tenantId: string, { namespace, name }: Workload): OwnedResource {
  const placement = { provider: 'mock' };
  return { tenantId, namespace, name, resource: `workload ${tenantId}`, isData: false, placement };
}

function observe(
  tenantId: string,
  workload: Workload | undefined,
  desiredHash: string | undefined,
): Observation {
  if (workload === undefined) {
    return {
      exists: false,
      changes: [],
      compute: { state: 'stopped', health: 'unknown', running: 0, desired: 0 },
    };
  }
  const { count: desired } = workload;
  const waitMs = workload.readyAt - Date.now();
  const resourceIds = { workload: tenantId };
  const changes: Change[] =
    desiredHash === undefined || desiredHash === workload.specHash
      ? []
      : [
          {
            path: 'workload',
            desired: desiredHash,
            actual: workload.specHash,
            cause: 'spec',
            effect: 'replace',
          },
        ];
  if (waitMs > 0) {
    return {
      exists: true,
      changes,
      compute: { state: 'starting', health: 'unknown', running: 0, desired, resourceIds },
      message: 'mock compute is starting',
      lookAgainAfterMs: waitMs,
    };
  }
  if (desired === 0) {
    const compute = { state: 'stopped', health: 'unknown', running: 0, desired, resourceIds } as const;
    return { exists: true, changes, compute };
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
