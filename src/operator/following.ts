import type { Logger } from 'pino';
import { doneWithin } from '../async/done-within.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { followCluster } from '../controller/followed/followed-cluster.ts';
import type { FollowedCluster } from '../controller/followed/followed-cluster.ts';
import { sourceKinds } from '../controller/sources/source.ts';
import type { Refusal } from '../kube/cache/reflector.ts';
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
export function refusalTexts(cluster: Pick<FollowedCluster, 'tenants' | 'sources'> | undefined): string[] {
  if (cluster === undefined) return [];
  const { tenants, sources } = cluster;
  return [
    ...tenants.refusals().map((refusal) => refusalText('Tenants', refusal)),
    ...sourceKinds.flatMap((kind) =>
      sources[kind].refusals().map((refusal) => refusalText(`${kind}s`, refusal)),
    ),
  ];
}

export function refusalText(what: string, { namespace, message }: Refusal): string {
  const where = namespace === undefined ? what : `${what} in namespace ${namespace}`;
  return `${where} can not be followed: ${message}`;
}
