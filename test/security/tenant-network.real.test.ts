import Dockerode from 'dockerode';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { createEngineClient } from '../../src/compute/providers/docker/engine/engine-client.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { silent } from '../compute/providers/docker/docker-fixture.ts';
import { settled } from '../compute/providers/docker/docker-bench.ts';
import { sharedEngine } from './shared-engine.ts';

/** What one tenant's container reaches of another's, on an engine with a firewall, as engines have one. */

const hostPort = 18_080;
let site: PrivateDockerEngine;
let engine: Engine;
let docker: Dockerode;
let image: string;

beforeAll(async () => {
  [site, image] = await Promise.all([
    startPrivateDockerEngine({ hasFirewall: true }),
    pushImage({ address: inject('registryAddress') }, { repository: 'reached', tag: '1' }),
  ]);
  engine = createEngineClient({ host: site.host, logger: silent });
  docker = new Dockerode({ socketPath: site.socketPath });
  await engine.pullImage(image, undefined, () => undefined, new AbortController().signal);
});
afterAll(async () => {
  engine.close();
  await site.stop();
});

/** One tenant that publishes a port, and one beside it, of an operator with that network. */
async function neighbours(prefix: string, docker: Readonly<Record<string, string>>) {
  const config = { label_prefix: prefix, network_pool: site.networkPool, image, ...docker };
  const { apply } = sharedEngine(engine, { docker: config, settleMs: 100 });
  const port = hostPort + prefix.length;
  const ports = [{ containerPort: 8080, hostPort: port }];
  const outcomes = [
    await settled(() => apply('victim', { containers: [{ name: 'app', image, ports }] })),
    await settled(() => apply('evil', { containers: [{ name: 'app', image }] })),
  ];
  expect(outcomes).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }]);
  const victim = await placeOf(`${prefix}-tenant-victim`);
  const evil = `${prefix}-tenant-evil`;
  return { evil, victim, port, gateway: (await placeOf(evil)).gateway };
}

async function placeOf(name: string): Promise<{ readonly address: string; readonly gateway: string }> {
  const { NetworkSettings } = await docker.getContainer(name).inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  return { address: network?.IPAddress ?? '', gateway: network?.Gateway ?? '' };
}

/** What the container is answered there; undefined: nothing. */
async function answer(name: string, host: string, port = 8080): Promise<string | undefined> {
  const Cmd = ['/app', 'get', `http://${host}:${port}/`];
  const execution = await docker
    .getContainer(name)
    .exec({ Cmd, AttachStdout: true, AttachStderr: true, Tty: true });
  const stream = await execution.start({ Tty: true });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  const { ExitCode } = await execution.inspect();
  return ExitCode === 0 ? text.trim() : undefined;
}

test.concurrent(
  'by default, a tenant reaches neither the container of another one nor its port on the host',
  async () => {
    const { evil, victim, port, gateway } = await neighbours('a', {});
    expect(await answer(evil, '127.0.0.1')).toBe('version 1');
    const tried = [
      answer(evil, victim.address),
      answer(evil, gateway, port),
      answer(evil, victim.gateway, port),
    ];
    expect(await Promise.all(tried)).toEqual([undefined, undefined, undefined]);
  },
);

test.concurrent('in a network that the operator made for all, it does not either', async () => {
  const { evil, victim, port, gateway } = await neighbours('bb', { network_name: 'tenants' });
  const tried = [answer(evil, victim.address), answer(evil, gateway, port)];
  expect(await Promise.all(tried)).toEqual([undefined, undefined]);
});

test.concurrent(
  "on the host's own bridge, and at a port on all addresses, it does: the docs say so",
  async () => {
    const open = { network_name: 'bridge', port_bind_address: '0.0.0.0' };
    const { evil, victim, port, gateway } = await neighbours('ccc', open);
    const tried = [answer(evil, victim.address), answer(evil, gateway, port)];
    expect(await Promise.all(tried)).toEqual(['version 1', 'version 1']);
  },
);
