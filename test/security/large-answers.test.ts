import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { guardEngine } from '../../src/compute/providers/docker/engine/engine-guard.ts';
import type { Engine, EngineEvent } from '../../src/compute/providers/docker/engine/engine.ts';
import { containerMarks } from '../../src/compute/providers/docker/state/container-marks.ts';
import { imagesBeforeMark } from '../../src/compute/providers/docker/state/image/images-before.ts';
import { never, standInEngine, testClient, until } from '../compute/providers/docker/engine-stand-in.ts';
import { anyPermit } from '../compute/permits.ts';
import { reply, startStandIn } from '../compute/providers/ecs/aws-stand-in.ts';
import { exampleBlock, testClient as ecsClient } from '../compute/providers/ecs/client-fixture.ts';
import { dockerManifests } from './docker-operator.ts';

/**
 * Whoever makes an image, or serves it, chooses how much an engine has to tell of it. Of one thing only so much is read, and
 * no other call, container or tenant suffers from it.
 */

const mebibyte = 1_048_576;
const piece = Buffer.alloc(65_536, 'A');

interface Endless {
  /** Bytes that were asked for. */
  sent: number;
}

/** Writes for as long as somebody reads. */
function writeOn(response: ServerResponse, told: Endless): void {
  const more = (): void => {
    while (!response.destroyed) {
      told.sent += piece.length;
      if (!response.write(piece)) return;
    }
  };
  response.on('drain', more);
  more();
}

const isHostile = ({ url = '' }: IncomingMessage): boolean =>
  url.includes('hostile') || url.includes('/create');

type Call = (engine: Engine) => Promise<unknown>;

describe('an answer about one thing is read up to a cap, and what is over it fails alone', () => {
  test.each<[words: string, call: Call]>([
    ['GET /containers/hostile/json', (engine) => engine.inspectContainer('hostile', never)],
    ['POST /containers/create', (engine) => engine.createContainer('web', {}, never)],
    ['POST /containers/hostile/start', (engine) => engine.startContainer('hostile', never)],
    ['GET /containers/hostile/logs', (engine) => engine.lastOutput('hostile', never)],
    ['GET /images/hostile/json', (engine) => engine.inspectImage('hostile', never)],
    ['GET /networks/hostile', (engine) => engine.inspectNetwork('hostile', never)],
    ['POST /networks/create', (engine) => engine.createNetwork({ Name: 'net' }, never)],
    ['GET /volumes/hostile', (engine) => engine.inspectVolume('hostile', never)],
  ])('%s', async (words, call) => {
    const told = { sent: 0 };
    const server = await standInEngine((request, response) => {
      if (isHostile(request)) writeOn(response, told);
      else response.end('{}');
    });
    const guard = guardEngine(testClient({ host: server.host }));
    const onDown = vi.fn<() => void>();
    guard.arm(onDown);
    await expect(call(guard.engine)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringContaining(`answers ${words} with more than 8 MiB`),
    });
    // What was on its way when the connection was let go has room in the buffers.
    expect(told.sent).toBeLessThan(12 * mebibyte);
    expect(onDown).not.toHaveBeenCalled();
    await expect(guard.engine.inspectContainer('other', never)).resolves.toEqual({});
  });
});

test('what a registry has the engine say in one line of a pull is read up to a cap', async () => {
  const told = { sent: 0 };
  const server = await standInEngine((_request, response) => writeOn(response, told));
  const engine = testClient({ host: server.host });
  const pull = engine.pullImage('registry.example/app:1', undefined, () => undefined, never);
  await expect(pull).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringContaining('a line of more than 1 MiB'),
  });
  expect(told.sent).toBeLessThan(5 * mebibyte);
  await until(() => server.connections.size <= 1);
});

/** Two tenants, one of them of an image with everything in it; and a server that tells of both. */
async function sharedHost() {
  const told = { sent: 0 };
  const containers: Record<string, unknown>[] = [];
  const server = await standInEngine((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine');
    const path = pathname.replace(/^\/v[\d.]+/, '');
    const { label = [] } = JSON.parse(searchParams.get('filters') ?? '{}') as { label?: string[] };
    const asked = (one: Record<string, unknown>): boolean =>
      label.every((wanted) => {
        const [key = '', value = ''] = wanted.split('=');
        return (one['Labels'] as Record<string, string>)[key] === value;
      });
    const [, what, id = ''] = path.split('/');
    if (request.method === 'DELETE' && what === 'containers') {
      containers.splice(0, Infinity, ...containers.filter((one) => one['Id'] !== id));
    }
    if (request.method !== 'GET') response.writeHead(204).end();
    else if (path === '/containers/json') response.end(JSON.stringify(containers.filter(asked)));
    else if (path.startsWith('/containers/hostile')) writeOn(response, told);
    else if (path.startsWith('/containers/'))
      response.end(JSON.stringify(inspectOf(path.split('/')[2] ?? '')));
    else if (path === '/info') response.end('{"ID":"engine-1"}');
    else if (path === '/volumes') response.end('{"Volumes":[]}');
    else response.end('[]');
  });
  const engine = testClient({ host: server.host, marks: containerMarks });
  const { provider, desired } = dockerManifests({ docker: { image: 'app:1' }, engine });
  const tenants = {
    hostile: await desired({ namespace: 'team-a', name: 'hostile', spec: {} }),
    neighbour: await desired({ namespace: 'team-b', name: 'neighbour', spec: {} }),
  };
  for (const [id, tenant] of Object.entries(tenants)) {
    const { engineName, labels } = tenant.containers[0] ?? { engineName: '', labels: {} };
    containers.push({
      Id: id,
      Names: [`/${engineName}`],
      Image: 'app:1',
      ...(id === 'hostile' ? hostileParts(labels) : { Labels: labels }),
      State: 'running',
      Status: 'Up 2 hours',
    });
  }
  return { engine, provider, tenants, told };
}

function inspectOf(id: string): object {
  return {
    Id: id,
    Name: `/landlord-tenant-team-b-${id}`,
    Created: '2026-01-01T00:00:00Z',
    State: { Status: 'running', ExitCode: 0, OOMKilled: false, StartedAt: '2026-01-01T00:00:00Z' },
    Config: { Image: 'app:1' },
    HostConfig: {},
  };
}

/** As an image brings them in, before those of ours in their order. */
function hostileParts(labels: Readonly<Record<string, string>>): object {
  const many = (count: number, key: (index: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), 'x'.repeat(40)]));
  return {
    Labels: {
      'a.large': 'A'.repeat(3 * mebibyte),
      ...many(4_000, (index) => `a${index}.owner`),
      ...many(4_000, (index) => `landlord.a${index}`),
      ...labels,
    },
    Ports: [
      ...Array.from({ length: 65_535 }, (_, index) => ({ PrivatePort: index + 1, Type: 'tcp' })),
      { IP: '127.0.0.1', PrivatePort: 80, PublicPort: 18_080, Type: 'tcp' },
    ],
    Mounts: Array.from({ length: 5_000 }, (_, index) => ({
      Type: 'volume',
      Name: index.toString(16).padStart(64, '0'),
      Source: `/var/lib/docker/volumes/${index}/_data`,
      Destination: `/v${index}`,
    })),
  };
}

describe('beside a container of which there is far too much to tell', () => {
  test('a list tells of each, the large one too, by the marks and ports that count', async () => {
    const { engine, tenants } = await sharedHost();
    const listed = await engine.listContainers(['landlord.owner=default'], never);
    expect(listed.map(({ Id }) => Id)).toEqual(['hostile', 'neighbour']);
    expect(listed[0]?.Labels).toEqual(tenants.hostile.containers[0]?.labels);
    expect(listed[0]?.Ports).toEqual([{ IP: '127.0.0.1', PrivatePort: 80, PublicPort: 18_080, Type: 'tcp' }]);
    expect(listed[0]?.State).toBe('running');
    expect(JSON.stringify(listed[0]).length).toBeLessThan(mebibyte / 2);
    expect(listed[1]?.Labels).toEqual(tenants.neighbour.containers[0]?.labels);
  });

  test('the others are seen, and it is named', async () => {
    const { provider, tenants, told } = await sharedHost();
    const owned = await provider.list(never);
    expect(owned.map(({ name }) => name)).toEqual(['hostile', 'neighbour']);
    const look = async (tenant: (typeof tenants)['hostile']) =>
      provider.getStatus(tenant, tenant, { fresh: true, signal: never });
    await expect(look(tenants.hostile)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringMatching(/hostile-[0-9a-f]{8} can't be inspected: .* more than 8 MiB/),
    });
    expect(told.sent).toBeLessThan(12 * mebibyte);
    expect((await look(tenants.neighbour)).compute.state).toBe('running');
  });
});

test('a Tenant is deleted though nobody can read what there is to tell of its container', async () => {
  const { engine, provider, tenants, told } = await sharedHost();
  const { hostile, neighbour } = tenants;
  expect(await provider.destroy(hostile, anyPermit, never)).toMatchObject({ outcome: 'gone' });
  expect(told.sent).toBe(0);
  const left = await engine.listContainers(['landlord.owner=default'], never);
  expect(left.map(({ Id }) => Id)).toEqual(['neighbour']);
  const { compute } = await provider.getStatus(neighbour, neighbour, { fresh: true, signal: never });
  expect(compute.state).toBe('running');
});

describe('a list beside something of which there is far too much to tell', () => {
  const Labels = { 'a.large': 'A'.repeat(33 * mebibyte), 'landlord.owner': 'default' };
  const kept = { 'landlord.owner': 'default' };
  test.each<[path: string, body: object, call: Call, listed: readonly object[]]>([
    [
      '/networks',
      [
        { Name: 'large', Labels, IPAM: { Config: [{ Subnet: '10.210.0.0/28' }] } },
        { Name: 'other', Labels: kept },
      ],
      (engine) => engine.listNetworks({ label: ['landlord.owner'] }, never),
      [
        {
          Name: 'large',
          Labels: { ...kept, 'a.large': '' },
          IPAM: { Config: [{ Subnet: '10.210.0.0/28' }] },
        },
        { Name: 'other', Labels: kept },
      ],
    ],
    [
      '/volumes',
      {
        Volumes: [
          { Name: 'large', Labels },
          { Name: 'other', Labels: kept },
        ],
        Warnings: null,
      },
      (engine) => engine.listVolumes(['landlord.owner'], never),
      [
        { Name: 'large', Labels: { ...kept, 'a.large': '' } },
        { Name: 'other', Labels: kept },
      ],
    ],
  ])('%s is read, and the engine is not taken for one that is down', async (path, body, call, listed) => {
    const text = JSON.stringify(body);
    const server = await standInEngine((request, response) => {
      response.end((request.url ?? '').includes(path) ? text : '{}');
    });
    const guard = guardEngine(testClient({ host: server.host }));
    const onDown = vi.fn<() => void>();
    guard.arm(onDown);
    expect(await call(guard.engine)).toEqual(listed.map((one) => expect.objectContaining(one) as unknown));
    expect(onDown).not.toHaveBeenCalled();
  });
});

test('an event with far too many labels is heard as any other, and so are those after it', async () => {
  const event = (id: string, labels: Readonly<Record<string, string>>): string =>
    `${JSON.stringify({
      status: 'die',
      id,
      from: 'app:1',
      Type: 'container',
      Action: 'die',
      Actor: { ID: id, Attributes: { ...labels, exitCode: '1', name: `of-${id}`, ...marksOf(id) } },
      time: 1,
      timeNano: 1e9,
    })}\n`;
  const marksOf = (id: string) => ({ 'landlord.owner': 'default', 'landlord.tenant_id': id });
  const server = await standInEngine((_request, response) => {
    response.write(event('hostile', { a: 'A'.repeat(3 * mebibyte), b: 'B'.repeat(1000) }));
    response.write(event('neighbour', {}));
  });
  const engine = testClient({ host: server.host, marks: containerMarks });
  const stop = new AbortController();
  const heard: EngineEvent[] = [];
  for await (const one of engine.events(['landlord.owner=default'], () => undefined, stop.signal)) {
    heard.push(one);
    if (heard.length === 2) stop.abort();
  }
  expect(heard).toEqual(
    ['hostile', 'neighbour'].map((id) => ({
      action: 'die',
      id,
      attributes: { exitCode: '1', name: `of-${id}`, ...marksOf(id) },
      timeMs: 1000,
    })),
  );
});

test('an answer of ECS is read up to a cap, once, and the next call is answered', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'TEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const told = { sent: 0 };
  const server = await startStandIn(({ operation }, response) => {
    if (operation === 'DescribeTaskDefinition') writeOn(response, told);
    else reply(response, { taskDefinitionArns: [] });
  });
  onTestFinished(() => server.stop());
  const ecs = ecsClient({ endpoint: server.url });
  onTestFinished(() => ecs.close());
  const scope = { region: 'us-west-2' };
  const { task_definition_arn: arn } = exampleBlock;
  await expect(ecs.describeTaskDefinition(scope, arn, never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringMatching(
      / answers ecs:DescribeTaskDefinition with more than 32 MiB, which is not read$/,
    ),
  });
  expect(told.sent).toBeLessThan(40 * mebibyte);
  expect(server.calls).toHaveLength(1);
  expect(await ecs.listTaskDefinitions(scope, 'tenant-app', never)).toEqual([]);
});

test('each label that a container of ours is made with is one that is kept', async () => {
  const { desired } = dockerManifests({
    docker: {
      image: 'app:1',
      containers: { app: { networks: ['proxy'], network_aliases: { proxy: ['www'] } } },
    },
    engine: testClient({ host: 'unix:///none' }),
  });
  const block = {
    ports: [
      { containerPort: 80, hostPort: 18_080 },
      { containerPort: 81, hostPort: 18_081, edge: {} },
    ],
  };
  const app = {
    name: 'app',
    image: 'app:1',
    stopGracePeriodSeconds: 60,
    dependsOn: [{ container: 'db' }],
    ...block,
  };
  const release = { container: 'db', args: ['migrate'] };
  const spec = { containers: [app, { name: 'db', image: 'db:1' }], release };
  const { containers } = await desired({ namespace: 'team-a', name: 'web', spec });
  const labels = new Set(containers.flatMap((container) => Object.keys(container.labels)));
  const marks = [...labels].map((key) => key.replace(/^landlord\./, ''));
  expect(marks).toContain('host_ports');
  // What came before is known once it is made.
  expect([...containerMarks].toSorted()).toEqual([...marks, imagesBeforeMark].toSorted());
});
