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
import { sourceKinds } from '../sources/source.ts';
import type { SourceKind } from '../sources/source.ts';
import { createSourceWatch } from '../sources/source-watch.ts';
import type { SourceNews, SourceWatch } from '../sources/source-watch.ts';
import { keptTenant } from './kept-tenant.ts';
import { tellOfMissingCrd } from './missing-crd.ts';

export interface FollowedClusterOptions {
  readonly client: KubeClient;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Label selector; empty: all. */
  readonly tenantSelector: string;
  readonly logger: Logger;
  readonly metrics?: { readonly reflector?: ReflectorMetrics };
  /** What is followed, once Tenants name one, before anybody asks. */
  readonly foreseen?: readonly SourceKind[];
}

export interface ClusterNews extends SourceNews {
  /** A Tenant came, changed or went. */
  onTenant(event: CacheEvent<Tenant>): void;
}

/**
 * What is known of the cluster: the Tenants, and the metadata of Secrets, and of ConfigMaps, once a Tenant reads one. A replica that waits
 * for the lease follows it, too, and tells nobody: so a take-over waits for the lease, and for no list.
 */
export interface FollowedCluster {
  readonly tenants: Reflector<Tenant>;
  readonly sources: Readonly<Record<SourceKind, SourceWatch>>;
  /** From now on, what happens is told; at once, each Tenant that is known already. */
  tell(news: ClusterNews): void;
  /** Whether all that there was at the start has been told: what comes from now on is new. */
  hasTold(): boolean;
  /** Follows until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function followCluster(options: FollowedClusterOptions): FollowedCluster {
  const { client, namespaces, tenantSelector, logger, metrics } = options;
  const foreseen = new Set(options.foreseen);
  let news: ClusterNews | undefined;
  let isTold = false;
  const watchOf = (kind: SourceKind): SourceWatch =>
    createSourceWatch(kind, options, {
      onSource: (...named) => news?.onSource(...named),
      onSourcesKnown: (keys) => news?.onSourcesKnown(keys),
    });
  const sources = { Secret: watchOf('Secret'), ConfigMap: watchOf('ConfigMap') };
  const tenants = createReflectorSet<Tenant>({
    resource: resource<Tenant>(client, tenantsResource),
    namespaces,
    ...(tenantSelector === '' ? {} : { labelSelector: tenantSelector }),
    transform: keptTenant,
    onServed: tellOfMissingCrd(logger),
    onEvent(event) {
      const isSameSpec = event.type === 'updated' && event.previous.spec === event.object.spec;
      for (const kind of isSameSpec ? [] : namedKinds(event.object, foreseen)) {
        foreseen.delete(kind);
        sources[kind].foresee();
      }
      news?.onTenant(event);
    },
    logger,
    ...(metrics?.reflector === undefined ? {} : { metrics: metrics.reflector }),
  });
  return {
    tenants,
    sources,
    tell(to) {
      news = to;
      for (const object of tenants.values()) tellOf(to, object, logger);
      isTold = true;
    },
    hasTold: () => isTold && tenants.hasSynced(),
    async run(signal) {
      await Promise.all([tenants, ...Object.values(sources)].map(async (watch) => watch.run(signal)));
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

/** By what refers to them, wherever in a spec that stands. */
const references: Readonly<Record<SourceKind, RegExp>> = {
  Secret: /"(secretKeyRef|secretRef|secretName)":|"imagePullSecrets":\[\{/,
  ConfigMap: /"(configMapKeyRef|configMapRef|configMap)":/,
};

/** Which of these it names. Nothing has checked its spec. */
function namedKinds({ spec }: Tenant, kinds: ReadonlySet<SourceKind>): readonly SourceKind[] {
  if (kinds.size === 0) return [];
  const { containers, volumes, imagePullSecrets } = (spec ?? {}) as Partial<TenantSpec>;
  const text = JSON.stringify({ containers, volumes, imagePullSecrets });
  return sourceKinds.filter((kind) => kinds.has(kind) && references[kind].test(text));
}
