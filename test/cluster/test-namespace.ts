import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import type { AuditEntry } from '../../dev/control-plane.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { apiVersion, kind } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { configMapsResource, secretsResource, tenantsResource } from '../../src/controller/kube-resources.ts';
import type { ConfigMapObject, SecretObject } from '../../src/controller/sources/source.ts';
import { createKubeClient } from '../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../src/kube/client/load-kube-config.ts';
import { isNotFound } from '../../src/kube/client/kube-api-error.ts';
import type { KubeClient } from '../../src/kube/client/kube-client.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import { resource } from '../../src/kube/client/resource.ts';
import type { Resource } from '../../src/kube/client/resource.ts';
import { followAuditLog } from './audit-log.ts';
import { hangMs, until as pollUntil } from '../until.ts';
import { silentLogger } from './silent-logger.ts';
import { watchTenantChanges } from './tenant-changes.ts';

const logLagMs = 200;

/** A namespace of a test's own on the control plane, with the tools of a user in it. */
export interface TestNamespace {
  readonly name: string;
  readonly client: KubeClient;
  readonly tenants: Resource<Tenant>;
  readonly secrets: Resource<SecretObject>;
  create(
    name: string,
    spec: Record<string, unknown>,
    metadata?: Partial<Tenant['metadata']>,
  ): Promise<Tenant>;
  get(name: string): Promise<Tenant | undefined>;
  /** Merge patch of spec or metadata. */
  patch(name: string, patch: unknown): Promise<Tenant>;
  delete(name: string): Promise<void>;
  /** Looks at each change until `holds`; fails with what the Tenant looked like last. */
  until(name: string, what: string, holds: (tenant: Tenant) => boolean, timeoutMs?: number): Promise<Tenant>;
  untilReady(name: string, timeoutMs?: number): Promise<Tenant>;
  /** Until Ready bears this reason. */
  untilReason(name: string, reason: string, timeoutMs?: number): Promise<Tenant>;
  untilGone(name: string, timeoutMs?: number): Promise<void>;
  putSecret(name: string, values: Record<string, string>, type?: string): Promise<void>;
  putConfigMap(name: string, data: Record<string, string>): Promise<void>;
  /** In the order of their creation; `series` is there once one was repeated. */
  events(name: string): Promise<TestEvent[]>;
  untilEvent(name: string, reason: string): Promise<void>;
  /** The operator's writes in this namespace, Events included. */
  writes(): Promise<AuditEntry[]>;
  /** A container for `spec.containers` with a variable from a Secret: each pass reads that once, but one that finds all as it was. */
  reading(secret: string, key: string, container?: Record<string, unknown>): Record<string, unknown>;
  /** When the passes began that read this Secret, in milliseconds since the epoch, once there are so many. */
  untilPasses(secret: string, count: number): Promise<number[]>;
  /** Resolves when a pass over the one Tenant that reads this Secret has begun and ended since the call. */
  wholePass(secret: string): Promise<void>;
  /** Removes all Tenants (and their finalizers, where no operator is left to do so) and closes the client. */
  remove(): Promise<void>;
}

export interface TestEvent extends KubeObject {
  reason: string;
  note: string;
  type: string;
  eventTime: string;
  regarding: { name: string };
  series?: { count: number };
}

export interface TestNamespaceOptions {
  readonly kubeconfigPath?: string;
  readonly auditLogPath?: string;
}

export async function createTestNamespace(
  prefix: string,
  options: TestNamespaceOptions = {},
): Promise<TestNamespace> {
  const kubeConfig = loadKubeConfig(options.kubeconfigPath ?? inject('kubeconfigPath'));
  const client = createKubeClient({ kubeConfig, logger: silentLogger, userAgent: 'landlord' });
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const namespaces = resource<KubeObject>(client, {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    namespaced: false,
  });
  await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const tenants = resource<Tenant>(client, tenantsResource);
  const secrets = resource<SecretObject>(client, secretsResource);
  const configMaps = resource<ConfigMapObject>(client, configMapsResource);
  const eventsApi = resource<TestEvent>(client, {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    namespaced: true,
  });
  const changes = watchTenantChanges(tenants, name);
  const auditEntries = followAuditLog(options.auditLogPath ?? inject('auditLog'), name);
  const passes = async (secret: string): Promise<number[]> =>
    (await auditEntries())
      .filter(({ verb, objectRef }) => verb === 'get' && objectRef?.resource === 'secrets')
      .filter(({ objectRef }) => objectRef?.name === secret)
      .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp));

  const untilPasses: TestNamespace['untilPasses'] = async (secret, count) => {
    await pollUntil(
      `${count} passes that read the Secret ${secret}`,
      async () => (await passes(secret)).length >= count,
    );
    return passes(secret);
  };
  const events: TestNamespace['events'] = async (tenant) => {
    const { items } = await eventsApi.list({ namespace: name });
    return items
      .filter(({ regarding }) => regarding.name === tenant)
      .toSorted((one, other) => (one.eventTime < other.eventTime ? -1 : 1));
  };

  const until: TestNamespace['until'] = async (tenant, what, holds, timeoutMs = hangMs) => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const seen = changes.count(tenant);
      const current = await tenants.get(tenant, name).catch(() => undefined);
      if (current !== undefined && holds(current)) return current;
      if (Date.now() > deadline) expect.fail(`${tenant} is not ${what}: ${JSON.stringify(current, null, 2)}`);
      await changes.after(tenant, seen);
    }
  };

  return {
    name,
    client,
    tenants,
    secrets,
    until,
    create: (tenant, spec, metadata = {}) =>
      tenants.create({
        apiVersion,
        kind,
        metadata: { ...metadata, name: tenant, namespace: name },
        spec,
      }),
    get: (tenant) => tenants.get(tenant, name),
    patch: (tenant, patch) => tenants.mergePatch(tenant, name, patch),
    delete: async (tenant) => {
      await tenants.delete(tenant, name);
    },
    untilReady: (tenant, timeoutMs) => until(tenant, 'Ready at its generation', isReady, timeoutMs),
    untilReason: (tenant, reason, timeoutMs) =>
      until(
        tenant,
        reason,
        ({ status }) => findCondition(status?.conditions, 'Ready')?.reason === reason,
        timeoutMs,
      ),
    async untilGone(tenant, timeoutMs = hangMs) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const seen = changes.count(tenant);
        const current = await tenants.get(tenant, name);
        if (current === undefined) return;
        if (Date.now() > deadline)
          expect.fail(`${tenant} is still there: ${JSON.stringify(current, null, 2)}`);
        await changes.after(tenant, seen);
      }
    },
    async putSecret(secret, values, type = 'Opaque') {
      const data = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      try {
        await secrets.mergePatch(secret, name, { data });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        await secrets.create({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: secret, namespace: name },
          type,
          data,
        });
      }
    },
    async putConfigMap(configMap, data) {
      try {
        await configMaps.mergePatch(configMap, name, { data });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        await configMaps.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: configMap, namespace: name },
          data,
        });
      }
    },
    events,
    untilEvent: (tenant, reason) =>
      pollUntil(`an Event ${reason} on ${tenant}`, async () =>
        (await events(tenant)).some((event) => event.reason === reason),
      ),
    async writes() {
      // The apiserver answers first; the line in its log follows a moment later.
      await sleep(logLagMs);
      return (await auditEntries()).filter(({ verb }) =>
        ['create', 'update', 'patch', 'delete'].includes(verb),
      );
    },
    reading: (secret, key, container = {}) => ({
      name: 'app',
      image: 'app:1',
      ...container,
      env: [{ name: 'READ', valueFrom: { secretKeyRef: { name: secret, key } } }],
    }),
    untilPasses,
    async wholePass(secret) {
      // Never two passes at once over the same Tenant: when the second one begins, the first one has ended.
      for (const _ of ['begun', 'ended']) {
        const before = (await passes(secret)).length;
        const annotations = { touched: randomBytes(4).toString('hex') };
        await secrets.mergePatch(secret, name, { metadata: { annotations } });
        await untilPasses(secret, before + 1);
      }
    },
    async remove() {
      const { items } = await tenants.list({ namespace: name });
      for (const { metadata } of items) {
        await tenants.delete(metadata.name, name);
        await tenants
          .mergePatch(metadata.name, name, { metadata: { finalizers: null } })
          .catch(() => undefined);
      }
      changes.close();
      await client.close();
    },
  };
}

export function isReady({ metadata, status }: Tenant): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  return (
    ready?.status === 'True' &&
    ready.reason === 'Running' &&
    status?.observedGeneration === metadata.generation
  );
}
