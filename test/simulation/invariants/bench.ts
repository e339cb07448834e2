import { apiVersion, finalizer, kind } from '../../../src/api/names.ts';
import type { Condition } from '../../../src/api/conditions.ts';
import type { TenantStatus } from '../../../src/api/status.ts';
import type { Tenant } from '../../../src/api/tenant.ts';
import { tenantsResource } from '../../../src/controller/kube-resources.ts';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import { startOfRun } from '../virtual-time.ts';
import type { VirtualTime } from '../virtual-time.ts';
import * as model from '../models/docker-engine.ts';
import type { Container } from '../models/docker-container.ts';
import type { DockerEngine } from '../models/docker-engine.ts';
import type { OperatorConfig } from '../operator.ts';
import { createProcess } from '../process.ts';
import type { World } from '../world.ts';

/** A world whose operator is the test itself, which does what no operator should. */
export interface Bench {
  readonly world: World;
  readonly engine: DockerEngine;
  readonly pass: (ms: number) => Promise<void>;
  /** A user applies a Tenant, `acme` unless it is named. */
  readonly apply: (spec?: Record<string, unknown>, name?: string) => Promise<void>;
  readonly edit: (patch: unknown) => Promise<void>;
  readonly remove: () => Promise<void>;
  /** The operator writes: conditions as `Ready=True/Running: message`, of the newest generation. */
  readonly say: (ready: string, status?: Partial<TenantStatus>) => Promise<void>;
  /** As another operator. */
  readonly sayAs: (who: string, ready: string) => Promise<void>;
  readonly tell: (reason: string, note: string) => Promise<void>;
  readonly addFinalizer: () => Promise<void>;
  readonly takeFinalizer: () => Promise<void>;
  /** The operator makes a container of `acme`, and starts it. */
  readonly run: (options?: Made) => Container;
}

export interface Made {
  readonly image?: string;
  readonly name?: string;
  readonly role?: string;
  readonly network?: string;
  readonly aliases?: readonly string[];
  readonly by?: string;
  readonly env?: readonly string[];
  readonly restartPolicy?: string;
  readonly binds?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostPort?: number;
  /** Of its marks. */
  readonly prefix?: string;
}

export const operator = 'operator-1';
const namespace = 'team-a';
const config: OperatorConfig = { docker: { image: 'app:1' }, mock: {}, engine: 'one' };
export const goodSpec = { computeProvider: 'docker', computeConfig: { docker: { image: 'app:1' } } };

export function createBench(world: World, time: VirtualTime): Bench {
  const engine = world.engineNamed('one');
  world.operators.push({
    process: createProcess(operator),
    config: { ...config },
    startedMs: startOfRun,
    mocked: async () => ['team-a/nobody'],
    stop: async () => undefined,
    crash: () => undefined,
  });
  const tenantsOf = (who: string) => resource<Tenant>(world.apiserver.clientOf(who), tenantsResource);
  const tenants = tenantsOf('user');
  const own = tenantsOf(operator);
  const events = resource<KubeObject>(world.apiserver.clientOf(operator), {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    namespaced: true,
  });
  const current = async (): Promise<Tenant> => (await tenants.get('acme', namespace)) as Tenant;
  const patch = async (body: unknown): Promise<void> => void (await own.mergePatch('acme', namespace, body));
  const write = async (who: string, ready: string, status: Partial<TenantStatus>): Promise<void> => {
    const { generation } = (await current()).metadata;
    const [, value = '', reason = '', message = ''] = /^Ready=(\w+)\/(\w+): (.*)$/.exec(ready) ?? [];
    const condition = { type: 'Ready', status: value, reason, message, observedGeneration: generation };
    const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' } as Condition];
    const body = { status: { observedGeneration: generation, ...status, conditions } };
    await tenantsOf(who).mergePatch('acme', namespace, body, { subresource: 'status' });
  };
  let told = 0;
  return {
    world,
    engine,
    pass: (ms) => time.advance(ms),
    async apply(spec = goodSpec, name = 'acme') {
      await tenants.create({ apiVersion, kind, metadata: { name, namespace }, spec });
    },
    edit: async (change) => void (await tenants.mergePatch('acme', namespace, change)),
    remove: async () => void (await tenants.delete('acme', namespace)),
    say: (ready, status = {}) => write(operator, ready, status),
    sayAs: (who, ready) => write(who, ready, {}),
    async tell(reason, note) {
      told += 1;
      const { uid } = (await tenants.get('acme', namespace))?.metadata ?? { uid: 'uid-1' };
      const event = { metadata: { name: `acme.${told}`, namespace }, reason, note };
      await events.create({ ...event, regarding: { namespace, name: 'acme', uid } } as never);
    },
    addFinalizer: () => patch({ metadata: { finalizers: [finalizer] } }),
    takeFinalizer: () => patch({ metadata: { finalizers: [] } }),
    run: (options = {}) => make(engine, options),
  };
}

function make(engine: DockerEngine, options: Made): Container {
  const {
    image = 'app:1',
    name = 'landlord-tenant-team-a-acme-9201d5e7',
    role = 'app',
    by = operator,
    env = [],
    hostPort,
    prefix = 'landlord',
    network = `${prefix}-team-a-acme-9201d5e7`,
  } = options;
  const isThere = [...engine.networks.values()].some(({ Name }) => Name === network);
  if (!isThere) model.createNetwork(engine, 'person', { Name: network });
  engine.images.add(image);
  const labels = {
    [`${prefix}.tenant_namespace`]: namespace,
    [`${prefix}.tenant_name`]: 'acme',
    [`${prefix}.tenant_id`]: 'team-a-acme-9201d5e7',
    [`${prefix}.container`]: role,
    ...options.labels,
  };
  const policy = options.restartPolicy ?? 'unless-stopped';
  const HostConfig = {
    NetworkMode: network,
    RestartPolicy: { Name: policy, MaximumRetryCount: 0 },
    Binds: [...(options.binds ?? [])],
    ...(hostPort === undefined
      ? {}
      : { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${hostPort}` }] } }),
  };
  const EndpointsConfig = { [HostConfig.NetworkMode]: { Aliases: [...(options.aliases ?? [])] } };
  const body = {
    Image: image,
    Labels: labels,
    Env: [...env],
    HostConfig,
    NetworkingConfig: { EndpointsConfig },
  };
  const id = model.create(engine, by, name, body);
  model.start(engine, by, id);
  return engine.find(id) as Container;
}
