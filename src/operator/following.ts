import type { Logger } from 'pino';
import type { Tenant } from '../api/tenant.ts';
import { doneWithin } from '../async/done-within.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { followCluster } from '../controller/followed/followed-cluster.ts';
import type { FollowedCluster } from '../controller/followed/followed-cluster.ts';
import { sourceKinds } from '../controller/sources/source.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import type { Metrics } from '../observability/metrics.ts';
import { reflectorMetrics } from './cluster-metrics.ts';
import { readsSecrets } from './enabled-definitions.ts';
import { namespaceLabels } from './namespace-labels.ts';
import type { NamespaceLabels } from './namespace-labels.ts';

/** What every replica follows of the cluster, whether it leads or waits for the lease. It only reads. */
export interface Following {
  readonly cluster: FollowedCluster;
  /** Undefined: the policy needs none. */
  readonly labels: NamespaceLabels | undefined;
  end(): Promise<void>;
}

export interface FollowingParts {
  readonly client: KubeClient;
  readonly metrics: Metrics;
}

/** What hangs then must not keep the process. */
const endMs = 2_000;

/**
 * The engines are not among it: a second sweep costs an account as many calls as the first, of the messages of one queue
 * each goes to one reader alone, and what is known of an engine is there within one list of it.
 */
export function follow(
  { config, logger }: { readonly config: OperatorConfig; readonly logger: Logger },
  { client, metrics }: FollowingParts,
  onNamespaces: (namespaces: ReadonlySet<string>) => void,
): Following {
  const { namespaces, tenant_selector: tenantSelector } = config.controller;
  const reflector = reflectorMetrics(metrics);
  const cluster = followCluster({
    client,
    namespaces,
    tenantSelector,
    logger,
    metrics: { reflector },
    foreseen: readsSecrets(config) ? ['Secret', 'ConfigMap'] : ['ConfigMap'],
  });
  const labels = namespaceLabels(config, { client, logger, metrics: reflector });
  const ending = new AbortController();
  const running = Promise.all([cluster.run(ending.signal), labels?.run(onNamespaces, ending.signal)]);
  return {
    cluster,
    labels,
    async end() {
      ending.abort();
      await doneWithin(running, endMs);
    },
  };
}

/** What the apiserver does not let the operator follow, a line each. */
export function refusalTexts({ tenants, sources }: Pick<FollowedCluster, 'tenants' | 'sources'>): string[] {
  const told = (what: string, followed: Pick<Reflector<Tenant>, 'refusals'>): string[] =>
    followed.refusals().map(({ namespace, message }) => {
      const where = namespace === undefined ? what : `${what} in namespace ${namespace}`;
      return `${where} can not be followed: ${message}`;
    });
  return [...told('Tenants', tenants), ...sourceKinds.flatMap((kind) => told(`${kind}s`, sources[kind]))];
}
