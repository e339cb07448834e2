import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { freePort } from '../../../../../dev/free-port.ts';
import { pushImage } from '../../../../../dev/images.ts';
import { containerMarks } from '../../../../../src/compute/providers/docker/state/container-marks.ts';
import {
  ownContainer,
  ownContainers,
} from '../../../../../src/compute/providers/docker/state/own-containers.ts';
import { anyConsent } from '../../../permits.ts';
import { dockerTestBench } from '../docker-bench.ts';
import type { DockerTestBench } from '../docker-bench.ts';
import { settings } from '../docker-fixture.ts';

/** What a list and an inspect tell of one container is held side by side: a pass takes either. */

const signal = new AbortController().signal;
let bench: DockerTestBench;
let image = '';

beforeAll(async () => {
  image = await pushImage({ address: inject('registryAddress') }, { repository: 'app', tag: '1' });
  bench = dockerTestBench();
  await bench.pull(image);
});
afterAll(() => bench.close());

it('an inspect alone tells all that a list tells, whatever the container is at', async () => {
  const { engine, prefix } = bench;
  const { ownership } = settings({ label_prefix: prefix });
  const tenant = { namespace: 'team-a', name: 'acme', uid: 'uid' };
  const volume = `${prefix}-data`;
  const { id: network } = await engine.createNetwork({ Name: `${prefix}-net` }, signal);
  onTestFinished(async () => {
    await engine.removeNetwork(network, anyConsent, signal);
    await engine.removeVolume(volume, anyConsent, signal);
  });
  const made = await engine.createContainer(
    `${prefix}-tenant-acme`,
    {
      Image: image,
      Labels: { ...ownership.of({ tenantId: 'acme', tenant }), other: 'label' },
      ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '53/udp': {} },
      Healthcheck: { Test: ['CMD', '/app', 'nothing'], Interval: 1e9, Retries: 100 },
      HostConfig: {
        NetworkMode: `${prefix}-net`,
        Binds: [`${volume}:/data`, '/tmp:/host'],
        PortBindings: {
          '80/tcp': [{ HostIp: inject('publishAddress'), HostPort: `${await freePort()}` }, { HostPort: '' }],
          '53/udp': [{ HostPort: '' }],
        },
      },
    },
    signal,
  );
  if (made === 'name-taken') throw new Error('the name is taken');
  onTestFinished(async () => void (await engine.removeContainer(made.id, anyConsent, signal)));
  const assertAlike = async (state: string) => {
    const [listed] = ownContainers(await engine.listContainers(ownership.filter('acme'), signal), ownership);
    const found = await engine.inspectContainer(made.id, signal);
    const alone = found && ownContainer(found, ownership, containerMarks);
    const { other: _other, ...labels } = listed?.labels ?? {};
    expect(listed?.state).toBe(state);
    // Of one that does not run, a list tells no health.
    const health = state === 'running' ? listed?.health : alone?.health;
    expect({ ...alone, inspected: undefined, young: undefined }).toEqual({
      ...listed,
      labels,
      health,
      young: undefined,
    });
    return alone;
  };
  await assertAlike('created');
  await engine.startContainer(made.id, signal);
  expect((await assertAlike('running'))?.ports.length).toBeGreaterThan(2);
  await engine.stopContainer(made.id, 0, anyConsent, signal);
  await assertAlike('exited');
});
