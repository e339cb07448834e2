import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { parseAuditLog } from '../../dev/control-plane.ts';
import type { AuditEntry } from '../../dev/control-plane.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { apiVersion, kind } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { secretsResource, tenantsResource } from '../../src/controller/kube-resources.ts';
import type { SecretObject } from '../../src/controller/secret-reader.ts';
import { createKubeClient, loadKubeConfig } from '../../src/kube/kube-client.ts';
import { isNotFound } from '../../src/kube/kube-api-error.ts';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { resource } from '../../src/kube/resource.ts';
import type { Resource } from '../../src/kube/resource.ts';
import { readFile } from 'node:fs/promises';
import { silentLogger } from './silent-logger.ts';

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
  /** Polls until `holds`; fails with what the Tenant looked like last. */
  until(name: string, what: string, holds: (tenant: Tenant) => boolean, timeoutMs?: number): Promise<Tenant>;
  untilReady(name: string, timeoutMs?: number): Promise<Tenant>;
  /** Until Ready bears this reason. */
  untilReason(name: string, reason: string, timeoutMs?: number): Promise<Tenant>;
  untilGone(name: string, timeoutMs?: number): Promise<void>;
  putSecret(name: string, values: Record<string, string>, type?: string): Promise<void>;
  events(name: string): Promise<{ reason: string; note: string; type: string }[]>;
  /** The operator's writes in this namespace, Events included. */
  writes(): Promise<AuditEntry[]>;
  /** Removes all Tenants (and their finalizers, where no operator is left to do so) and closes the client. */
  remove(): Promise<void>;
}

interface EventObject extends KubeObject {
  reason: string;
  note: string;
  type: string;
  regarding: { name: string };
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
  const client = createKubeClient({ kubeConfig, logger: silentLogger });
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
  const eventsApi = resource<EventObject>(client, {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    namespaced: true,
  });
  const auditLogPath = options.auditLogPath ?? inject('auditLog');

  const until: TestNamespace['until'] = async (tenant, what, holds, timeoutMs = 30_000) => {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const current = await tenants.get(tenant, name).catch(() => undefined);
      if (current !== undefined && holds(current)) return current;
      if (Date.now() > deadline) expect.fail(`${tenant} is not ${what}: ${JSON.stringify(current, null, 2)}`);
      await sleep(50);
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
    async untilGone(tenant, timeoutMs = 30_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const current = await tenants.get(tenant, name);
        if (current === undefined) return;
        if (Date.now() > deadline)
          expect.fail(`${tenant} is still there: ${JSON.stringify(current, null, 2)}`);
        await sleep(50);
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
    async events(tenant) {
      const { items } = await eventsApi.list({ namespace: name });
      return items.filter(({ regarding }) => regarding.name === tenant);
    },
    async writes() {
      const entries = parseAuditLog(await readFile(auditLogPath, 'utf8'));
      return entries.filter(
        ({ verb, objectRef }) =>
          objectRef?.namespace === name && ['create', 'update', 'patch', 'delete'].includes(verb),
      );
    },
    async remove() {
      const { items } = await tenants.list({ namespace: name });
      for (const { metadata } of items) {
        await tenants.delete(metadata.name, name);
        await tenants
          .mergePatch(metadata.name, name, { metadata: { finalizers: null } })
          .catch(() => undefined);
      }
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
