import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { DestroyResult, Observation, Provider, StepResult } from '../../../../src/compute/provider.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import { createEngineClient } from '../../../../src/compute/providers/docker/engine/engine-client.ts';
import { unlessKind } from '../../../../src/compute/providers/docker/engine/engine.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import type { DockerContext } from '../../../../src/compute/providers/docker/reach.ts';
import type { DesiredTenant } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { context, settings, tenantSpec } from './docker-fixture.ts';
import { until } from '../../../until.ts';
import { anyConsent } from '../../permits.ts';

/** A corner of the real engine that a test has for itself: names and labels start with a prefix of its own. */
export interface DockerTestBench {
  readonly prefix: string;
  readonly engine: Engine;
  /** For what the operator never does: pause, kill, exec. */
  readonly docker: Dockerode;
  /** Names of the calls of all providers made here. */
  readonly calls: readonly string[];
  provider(over?: Partial<DockerContext>, decorate?: (engine: Engine) => Engine): Provider<DesiredTenant>;
  spec(
    tenantId: string,
    config: Record<string, unknown>,
    over?: Partial<TenantComputeSpec<DockerConfig>>,
  ): TenantComputeSpec<DockerConfig>;
  pull(image: string): Promise<void>;
  /** A running container without any mark of ours, removed with the rest. */
  createForeign(name: string, image: string, hostConfig?: Dockerode.HostConfig): Promise<string>;
  /** What the image's program prints that runs in the container. */
  run(container: string, ...args: readonly string[]): Promise<string>;
  look(name: string): Promise<Dockerode.ContainerInspectInfo | undefined>;
  /** Containers whose names start with the prefix: `NAME state`. */
  names(tenantId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

export function dockerTestBench(
  block: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
): DockerTestBench {
  const prefix = `t${randomBytes(4).toString('hex')}`;
  const logger = pino({ level: 'silent' });
  const host = inject('dockerHost');
  const engine = createEngineClient({ host, logger });
  const docker = new Dockerode({ socketPath: host.replace('unix://', '') });
  const calls: string[] = [];
  const counted = counting(engine, calls);
  const rules = settings({ ...inject('engineBlock'), label_prefix: prefix, ...block }, policy);
  const providers: Provider<DesiredTenant>[] = [];
  const foreign: string[] = [];
  return {
    prefix,
    engine,
    docker,
    calls,
    provider(over = {}, decorate = (engine) => engine) {
      // `close` of one provider must not take the engine from the next.
      const shared = { ...decorate(counted), close: () => undefined };
      const provider = dockerProvider(shared, rules.block, rules.policy, context({ settleMs: 300, ...over }));
      providers.push(provider);
      return provider;
    },
    spec: (tenantId, config, over) =>
      tenantSpec(config, { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' }, ...over }),
    pull: (image) => engine.pullImage(image, undefined, () => undefined, never),
    async createForeign(name, image, hostConfig = {}) {
      const ExposedPorts = Object.fromEntries(
        Object.keys((hostConfig.PortBindings ?? {}) as object).map((port) => [port, {}]),
      );
      const body = { Image: image, ExposedPorts, HostConfig: { Init: true, ...hostConfig } };
      const created = await engine.createContainer(name, body, never);
      if (created === 'name-taken') throw new Error(`${name} is taken`);
      foreign.push(created.id);
      await engine.startContainer(created.id, never);
      return created.id;
    },
    run: async (container, ...args) => runIn(docker, container, args),
    look: (name) => engine.inspectContainer(name, never),
    async names(tenantId) {
      const found = await engine.listContainers([`${prefix}.tenant_id=${tenantId}`], never);
      return found.map(({ Names, State }) => `${Names[0]?.slice(1)} ${State}`).toSorted();
    },
    async close() {
      for (const provider of providers) await provider.close();
      const ours = await engine.listContainers([`${prefix}.owner`], never);
      const ids = [...foreign, ...ours.map(({ Id }) => Id)];
      await Promise.all(ids.map((id) => engine.removeContainer(id, anyConsent, never)));
      for (const { Id } of await engine.listNetworks({ label: [`${prefix}.owner`] }, never)) {
        await removeNetwork(engine, Id);
      }
      for (const { Name } of await engine.listVolumes([`${prefix}.owner`], never)) {
        await engine.removeVolume(Name, anyConsent, never);
      }
      engine.close();
    },
  };
}

/** Who is told that a container is being removed already does not know when that ends: it is in its networks until then. */
async function removeNetwork(engine: Engine, id: string): Promise<void> {
  const remove = async () => engine.removeNetwork(id, anyConsent, never).then(() => true);
  await until(`nobody is in the network ${id}`, async () => (await unlessKind('in-use', remove())) === true);
}

async function runIn(docker: Dockerode, container: string, args: readonly string[]): Promise<string> {
  const exec = await docker
    .getContainer(container)
    .exec({ Cmd: ['/app', ...args], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const out = new PassThrough();
  docker.modem.demuxStream(stream, out, out);
  stream.once('end', () => out.end());
  return (await text(out)).trim();
}

function counting(engine: Engine, calls: string[]): Engine {
  const counted = Object.entries(engine).map(([name, member]: [string, unknown]) => [
    name,
    typeof member === 'function'
      ? (...args: unknown[]) => {
          calls.push(name);
          return (member as (...args: unknown[]) => unknown)(...args);
        }
      : member,
  ]);
  return Object.fromEntries(counted) as Engine;
}

/** Calls again, as the controller does, until there is a last word. */
export async function settled<R extends StepResult | DestroyResult>(
  operation: () => Promise<R>,
  onStep: (result: R) => Promise<void> | void = () => undefined,
): Promise<R> {
  for (let tries = 0; tries < 300; tries += 1) {
    const result = await operation();
    if (result.outcome !== 'in_progress') return result;
    await onStep(result);
    await delay(50);
  }
  throw new Error('the operation does not come to an end');
}

/** Looks until the status is as wanted. */
export async function statusWhere(
  look: () => Promise<Observation>,
  isWanted: (seen: Observation) => boolean,
): Promise<Observation> {
  let seen = await look();
  for (let tries = 0; tries < 200 && !isWanted(seen); tries += 1) {
    await delay(50);
    seen = await look();
  }
  if (!isWanted(seen)) throw new Error(`the status stays ${JSON.stringify(seen)}`);
  return seen;
}

export function isReady({ compute, changes }: Observation): boolean {
  return compute.state === 'running' && compute.health === 'healthy' && changes.length === 0;
}

/** A /28 of the pool that is kept for tests, or, on an engine that was running before, of one that nobody is known to use. */
export function freeSubnet(): string {
  const [address = '', length = '16'] = (inject('networkPool') || '10.211.0.0/16').split('/');
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const base = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  // Networks of tenants are cut from the pool's lower end, one for each: the upper half is left alone.
  const half = 2 ** (27 - Number(length));
  const slot = half + (randomBytes(4).readUInt32BE() % half);
  const at = base + slot * 16;
  return `${at >>> 24}.${(at >>> 16) & 255}.${(at >>> 8) & 255}.${at & 255}/28`;
}
