import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { stringify } from 'yaml';
import { applyCrds } from '../dev/apply-crds.ts';
import { startChild, waitUntilReady } from '../dev/child-process.ts';
import type { Child } from '../dev/child-process.ts';
import { startControlPlane } from '../dev/control-plane.ts';
import { startCountingProxy } from '../dev/counting-proxy.ts';
import type { CountingProxy } from '../dev/counting-proxy.ts';
import { watchFleet } from '../dev/demo/fleet.ts';
import type { Fleet } from '../dev/demo/fleet.ts';
import { dockerAt } from '../dev/docker-at.ts';
import { startPrivateDockerEngine } from '../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../dev/docker-engine.ts';
import { createEcsFixture, fargateBlock } from '../dev/ecs-endpoint-fixture.ts';
import { rootEnvironment, startMinistack } from '../dev/ecs-endpoint.ts';
import { freePort } from '../dev/free-port.ts';
import { pushImage } from '../dev/images.ts';
import { kubeRequest } from '../dev/kube-request.ts';
import { startedTogether, temporaryFolder } from '../dev/on-stack.ts';
import { startRegistry } from '../dev/registry.ts';
import { operatorCommand } from './operator-command.ts';
import { startEngineProxy } from './engine-proxy.ts';
import type { EngineProxy } from './engine-proxy.ts';

export const namespace = 'default';
/** The owner mark on all that the operator creates. */
export const instance = 'bench';
const group = 'bench-operators';
const readyTimeoutMs = 60_000;

/** What the operator needs to know of an account: an endpoint, and compute.ecs of its config. */
export interface EcsAccount {
  readonly url: string;
  readonly block: Readonly<Record<string, unknown>>;
}

/** Parts that can be disturbed, and the operator on them, as a process of dist/. */
export interface Site {
  readonly engine: PrivateDockerEngine;
  /** What the operator takes for the engine. */
  readonly engineProxy: EngineProxy;
  /** Past the proxy. */
  readonly docker: Dockerode;
  /** What the operator takes for AWS. */
  readonly ecs: CountingProxy;
  readonly fleet: Fleet;
  readonly image: string;
  /** As an admin. Rejects where the apiserver refuses. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Lets the operator read Secrets, or not; it notices at its next start. */
  grantSecrets(granted: boolean): Promise<void>;
  /**
   * Ends the operator that runs, and starts another one; waits until it serves. `controller` is that of its config,
   * `command` starts it with a config file: by default as it is built.
   */
  startOperator(
    controller?: Readonly<Record<string, unknown>>,
    command?: typeof operatorCommand,
  ): Promise<void>;
  /** Of the operator that runs. */
  operatorPid(): number;
  readonly close: () => Promise<void>;
}

/** `account`: what is at hand in place of an endpoint that keeps no limits and takes no time. */
export async function setUpSite(account?: EcsAccount): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack, 'landlord-bench-');
  const [plane, engine, registry] = await startedTogether(
    stack,
    startControlPlane({ operatorGroups: [group] }),
    startPrivateDockerEngine(),
    startRegistry(),
  );
  const engineProxy = await startEngineProxy(engine.socketPath, join(folder, 'engine.sock'));
  stack.defer(() => engineProxy.close());
  const image = await pushImage(registry, { repository: 'app', tag: '1' });
  const { url, block } = account ?? (await startEndpoint(stack, image));
  const ecs = await startCountingProxy(url);
  stack.defer(() => ecs.stop());
  await applyCrds(plane.kubeconfigPath);
  const request = requestAs(plane.kubeconfigPath);
  const grantSecrets = roleOf(request);
  await grantSecrets(true);
  const fleet = await watchFleet(plane.kubeconfigPath, namespace);
  stack.defer(() => fleet.stop());
  await writeFile(join(folder, 'hash-key'), randomBytes(32));
  const compute = {
    docker: {
      host: engineProxy.host,
      network_pool: engine.networkPool,
      port_bind_address: engine.publishAddress,
      image,
    },
    ecs: { ...block, endpoint: ecs.url },
    mock: {},
  };
  const operator = operatorAt({ folder, kubeconfigPath: plane.operatorKubeconfigPath, compute });
  stack.defer(() => operator.stop());
  const parts = stack.move();
  return {
    engine,
    engineProxy,
    docker: dockerAt(engine.host),
    ecs,
    fleet,
    image,
    request,
    grantSecrets,
    startOperator: operator.start,
    operatorPid: operator.pid,
    close: () => parts.disposeAsync(),
  };
}

type Request = Site['request'];

function requestAs(kubeconfigPath: string): Request {
  return async (method, path, body) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await kubeRequest(kubeconfigPath, { method, path, body, contentType });
    if (answer.status >= 300)
      throw new Error(
        `the apiserver answered ${method} ${path} with ${answer.status}: ${JSON.stringify(answer.body)}`,
      );
    return answer.body;
  };
}

const rolesPath = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

/** One role of the operator's, whose rules change. */
function roleOf(request: Request): Site['grantSecrets'] {
  const metadata = { name: group };
  const rulesFor = (granted: boolean) => [
    { apiGroups: ['landlord.dev', 'events.k8s.io'], resources: ['*'], verbs: ['*'] },
    { apiGroups: [''], resources: ['namespaces', ...(granted ? ['secrets'] : [])], verbs: ['*'] },
  ];
  let isThere = false;
  return async (granted) => {
    const rules = rulesFor(granted);
    if (isThere) {
      await request('PATCH', `${rolesPath}/${group}`, { rules });
      return;
    }
    await request('POST', rolesPath, { metadata, rules });
    const apiGroup = 'rbac.authorization.k8s.io';
    await request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: group },
      subjects: [{ apiGroup, kind: 'Group', name: group }],
    });
    isThere = true;
  };
}

async function startEndpoint(stack: AsyncDisposableStack, image: string): Promise<EcsAccount> {
  const endpoint = await startMinistack({ mode: 'metadata' });
  stack.defer(() => endpoint.stop());
  const fixture = await createEcsFixture(endpoint.url, { image });
  stack.defer(() => fixture.close());
  return { url: endpoint.url, block: fargateBlock(fixture) };
}

interface OperatorSite {
  readonly folder: string;
  readonly kubeconfigPath: string;
  readonly compute: Record<string, unknown>;
}

function operatorAt({ folder, kubeconfigPath, compute }: OperatorSite) {
  let child: Child | undefined;
  const stop = async (): Promise<void> => {
    await child?.kill();
  };
  return {
    stop,
    pid: () => child?.pid ?? 0,
    start: async (
      controller: Readonly<Record<string, unknown>> = {},
      commandOf = operatorCommand,
    ): Promise<void> => {
      await stop();
      const address = `127.0.0.1:${await freePort()}`;
      const configFile = join(folder, 'landlord.yaml');
      const config = {
        instance,
        hash_key_file: join(folder, 'hash-key'),
        compute,
        controller,
        server: { address },
      };
      await writeFile(configFile, stringify(config));
      const [command, ...args] = commandOf(configFile);
      child = await startChild({
        name: 'the operator',
        command,
        args: [...args, '--kubeconfig', kubeconfigPath],
        env: rootEnvironment(process.env),
        logFile: join(folder, 'operator.log'),
      });
      const answers = async (): Promise<boolean> =>
        (await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok;
      await waitUntilReady(child, answers, readyTimeoutMs);
    },
  };
}
