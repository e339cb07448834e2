import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { tenantsResource } from '../../src/controller/kube-resources.ts';
import { createKubeClient } from '../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../src/kube/client/load-kube-config.ts';
import { createReflector } from '../../src/kube/cache/reflector.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { createLogger } from '../../src/observability/logger.ts';

/** The Tenants as the apiserver has them at this moment. */
export interface Fleet {
  /** Oldest first. */
  tenants(): Tenant[];
  get(name: string): Tenant | undefined;
  /** Calls it after each change, until what is returned is called. */
  onChange(listener: Listener): () => void;
  /** The reasons of the condition Ready that a tenant has had since `forgetHistory`, the one it had then first. */
  history(name: string): readonly string[];
  forgetHistory(): void;
  stop(): Promise<void>;
}

type Listener = (tenant: Tenant, deleted: boolean) => void;

/** Watches with the operator's own cache, as any other program could with kubectl's. */
export async function watchFleet(kubeconfigPath: string, namespace: string): Promise<Fleet> {
  const logger = createLogger({ level: 'silent', format: 'json' });
  const client = createKubeClient({
    kubeConfig: loadKubeConfig(kubeconfigPath),
    logger,
    userAgent: 'landlord',
  });
  const histories = new Map<string, string[]>();
  const listeners = new Set<Listener>();
  const reflector = createReflector<Tenant>({
    resource: resource<Tenant>(client, tenantsResource),
    namespace,
    logger,
    onEvent: ({ type, object }) => {
      const { name } = object.metadata;
      const history = histories.get(name) ?? [];
      const reason = type === 'deleted' ? 'gone' : reasonOf(object);
      if (history.at(-1) !== reason) histories.set(name, [...history, reason]);
      for (const listener of listeners) listener(object, type === 'deleted');
    },
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  await reflector.synced;
  return {
    tenants: () => [...reflector.values()].toSorted(byAge),
    get: (name) => reflector.get(namespace, name),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    history: (name) => histories.get(name) ?? [],
    forgetHistory: () => {
      for (const [name, history] of histories) histories.set(name, history.slice(-1));
    },
    stop: async () => {
      stop.abort();
      await running;
      await client.close();
    },
  };
}

function reasonOf({ status }: Tenant): string {
  return findCondition(status?.conditions, 'Ready')?.reason ?? 'Pending';
}

function byAge(a: Tenant, b: Tenant): number {
  const [left, right] = [a, b].map(
    ({ metadata: { creationTimestamp, name } }) => `${creationTimestamp} ${name}`,
  );
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
