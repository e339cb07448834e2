import type { Logger } from 'pino';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import type { CacheEvent } from '../../kube/cache/object-cache.ts';
import type { Reflector } from '../../kube/cache/reflector.ts';
import { createReflectorSet } from '../../kube/cache/reflector-set.ts';
import type { ReflectorMetrics } from '../../kube/cache/watch-loop.ts';
import type { KubeClient } from '../../kube/client/kube-client.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { resource } from '../../kube/client/resource.ts';
import { tenantsResource } from '../kube-resources.ts';
import { createSecretWatch } from '../secrets/secret-watch.ts';
import type { SecretNews, SecretWatch } from '../secrets/secret-watch.ts';
import { keptTenant } from './kept-tenant.ts';

export interface FollowedClusterOptions {
  readonly client: KubeClient;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Label selector; empty: all. */
  readonly tenantSelector: string;
  readonly logger: Logger;
  readonly metrics?: { readonly reflector?: ReflectorMetrics };
  /** Whether Secrets that Tenants name are followed before anybody asks. */
  readonly foreseesSecrets?: boolean;
}

export interface ClusterNews extends SecretNews {
  /** A Tenant came, changed or went. */
  onTenant(event: CacheEvent<Tenant>): void;
}

/**
 * What is known of the cluster: the Tenants, and the metadata of Secrets once a Tenant reads one. A replica that waits
 * for the lease follows it, too, and tells nobody: so a take-over waits for the lease, and for no list.
 */
export interface FollowedCluster {
  readonly tenants: Reflector<Tenant>;
  readonly secrets: SecretWatch;
  /** From now on, what happens is told; at once, each Tenant that is known already. */
  tell(news: ClusterNews): void;
  /** Whether all that there was at the start has been told: what comes from now on is new. */
  hasTold(): boolean;
  /** Follows until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function followCluster(options: FollowedClusterOptions): FollowedCluster {
  const { client, namespaces, tenantSelector, logger, metrics, foreseesSecrets = false } = options;
  let news: ClusterNews | undefined;
  let isTold = false;
  let isForeseen = !foreseesSecrets;
  const secrets = createSecretWatch(options, {
    onSecret: (...named) => news?.onSecret(...named),
    onSecretsKnown: (keys) => news?.onSecretsKnown(keys),
  });
  const tenants = createReflectorSet<Tenant>({
    resource: resource<Tenant>(client, tenantsResource),
    namespaces,
    ...(tenantSelector === '' ? {} : { labelSelector: tenantSelector }),
    transform: keptTenant,
    onEvent(event) {
      if (!isForeseen && namesSecrets(event.object)) {
        isForeseen = true;
        secrets.foresee();
      }
      news?.onTenant(event);
    },
    logger,
    ...(metrics?.reflector === undefined ? {} : { metrics: metrics.reflector }),
  });
  return {
    tenants,
    secrets,
    tell(to) {
      news = to;
      for (const object of tenants.values()) tellOf(to, object, logger);
      isTold = true;
    },
    hasTold: () => isTold && tenants.hasSynced(),
    async run(signal) {
      await Promise.all([tenants.run(signal), secrets.run(signal)]);
    },
  };
}

function tellOf(news: ClusterNews, object: Tenant, logger: Logger): void {
  try {
    news.onTenant({ type: 'added', object });
  } catch (error) {
    logger.error({ err: error, object: keyOf(object) }, 'an event handler failed');
  }
}

/** Nothing has checked its spec. */
function namesSecrets({ spec }: Tenant): boolean {
  const { containers, imagePullSecrets } = (spec ?? {}) as Partial<TenantSpec>;
  return (
    (Array.isArray(imagePullSecrets) && imagePullSecrets.length > 0) ||
    (Array.isArray(containers) && containers.some((one) => JSON.stringify(one).includes('"secretKeyRef"')))
  );
}
