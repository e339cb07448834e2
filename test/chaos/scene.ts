import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { stringify } from 'yaml';
import { applyCrds } from '../../dev/apply-crds.ts';
import { buildOperator, distFolder } from '../../dev/build.ts';
import { startControlPlane } from '../../dev/control-plane.ts';
import { startCountingProxy } from '../../dev/counting-proxy.ts';
import { watchFleet } from '../../dev/demo/fleet.ts';
import type { Fleet } from '../../dev/demo/fleet.ts';
import { dockerAt } from '../../dev/docker-at.ts';
import { dockerBlockFor, startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { createEcsFixture, fargateBlock } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { rootEnvironment, startMinistack } from '../../dev/ecs-endpoint.ts';
import { freePort } from '../../dev/free-port.ts';
import { pushImage } from '../../dev/images.ts';
import { startedTogether, temporaryFolder } from '../../dev/on-stack.ts';
import { startRegistry } from '../../dev/registry.ts';
import type { Parts } from './faults.ts';
import { keepOperator } from './operator-keeper.ts';
import { tags } from './workload.ts';

export const namespace = 'default';
const instance = 'chaos';

/** All parts, each this run's own, the operator on them, and a look at the Tenants. */
export interface Scene extends Parts {
  readonly docker: Dockerode;
  /** Past all faults. */
  readonly fixture: EcsFixture;
  readonly fleet: Fleet;
  readonly imageOf: (tag: string) => string;
  /** Ends all of it, the last first; goes on where one can't be ended, and rejects then. */
  readonly close: () => Promise<void>;
}

export async function setUpScene(logFile: string): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack, 'landlord-chaos-');
  const [plane, engine, registry, endpoint] = await startedTogether(
    stack,
    startControlPlane(),
    startPrivateDockerEngine(),
    startRegistry(),
    startMinistack({ mode: 'metadata' }),
  );
  const ecs = await startCountingProxy(endpoint.url);
  stack.defer(() => ecs.stop());
  const imageOf = (tag: string): string => `${registry.address}/app:${tag}`;
  const fixture = await createEcsFixture(endpoint.url, { image: imageOf('1') });
  stack.defer(() => fixture.close());
  for (const tag of tags) await pushImage(registry, { repository: 'app', tag });
  await Promise.all([applyCrds(plane.kubeconfigPath), buildOperator(distFolder)]);
  const fleet = await watchFleet(plane.kubeconfigPath, namespace);
  stack.defer(() => fleet.stop());
  const address = `127.0.0.1:${await freePort()}`;
  const hashKeyFile = join(folder, 'hash-key');
  await writeFile(hashKeyFile, randomBytes(32));
  const configFile = join(folder, 'landlord.yaml');
  const compute = {
    docker: { ...dockerBlockFor(engine), image: imageOf('1') },
    ecs: { ...fargateBlock(fixture), endpoint: ecs.url },
    mock: {},
  };
  const config = { instance, hash_key_file: hashKeyFile, compute, server: { address } };
  await writeFile(configFile, stringify(config));
  const env = rootEnvironment(process.env);
  const kubeconfigPath = plane.operatorKubeconfigPath;
  const operator = await keepOperator({ configFile, kubeconfigPath, logFile, address, env });
  stack.defer(() => operator.close());
  const started = stack.move();
  return {
    plane,
    engine,
    docker: dockerAt(engine.host),
    registry,
    ecs,
    operator,
    ownerLabel: `landlord.owner=${instance}`,
    fixture,
    fleet,
    imageOf,
    close: () => started.disposeAsync(),
  };
}
