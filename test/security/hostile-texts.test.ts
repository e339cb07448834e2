import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { maxTextLength } from '../../src/compute/observation/engine-text.ts';
import {
  never,
  standInEngine,
  testClient as dockerClient,
} from '../compute/providers/docker/engine-stand-in.ts';
import { refuse, reply, startStandIn } from '../compute/providers/ecs/aws-stand-in.ts';
import type { StandInCall } from '../compute/providers/ecs/aws-stand-in.ts';
import { exampleBlock, testClient as ecsClient } from '../compute/providers/ecs/client-fixture.ts';
import type { EcsApi } from '../../src/compute/providers/ecs/engine/ecs-api.ts';

/**
 * An engine repeats what tenants, their containers and registries write. Whatever comes in by these ways is cut before it
 * is looked at: a message of a megabyte costs as much as one of 4 KB.
 */

const hostile = 'A'.repeat(1_000_000);
/** Words of ours may stand around it. */
const room = 300;

type Say = (engine: Engine) => Promise<unknown>;

async function told(call: Say, status: number, body: unknown): Promise<string[]> {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(status).end(`${JSON.stringify(body)}\n`);
  });
  return textsIn(await call(dockerClient({ host: engine.host })).catch((error: unknown) => error));
}

/** Every text of a result, or of an error. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Error) return [value.message];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function expectCut(texts: readonly string[]): void {
  const longest = Math.max(...texts.map(({ length }) => length));
  // It was told of, and no more than may be.
  expect(longest).toBeGreaterThan(100);
  expect(longest).toBeLessThanOrEqual(maxTextLength + room);
}

describe('from a Docker Engine, what is cut is', () => {
  test.each<[what: string, call: Say, status: number, body: unknown]>([
    [
      'the refusal of a volume',
      (engine) => engine.createVolume({ Name: 'data' }, never),
      500,
      { message: `create ${hostile}: mkdir ${hostile}: file name too long` },
    ],
    [
      'the refusal of a container',
      (engine) => engine.startContainer('web', never),
      400,
      { message: hostile },
    ],
    [
      'an answer in another language',
      (engine) => engine.listContainers([], never),
      500,
      `<html>${hostile}</html>`,
    ],
    [
      'why a container could not be started',
      (engine) => engine.inspectContainer('web', never),
      200,
      { State: { Status: 'created', Error: hostile } },
    ],
    [
      'what a health probe wrote',
      (engine) => engine.inspectContainer('web', never),
      200,
      { State: { Status: 'running', Health: { Status: 'unhealthy', Log: [{ Output: hostile }] } } },
    ],
    [
      'what a registry said within a pull',
      (engine) => engine.pullImage('app:1', undefined, () => undefined, never),
      200,
      { error: hostile.slice(0, 60_000) },
    ],
    [
      'the refusal of a pull',
      (engine) => engine.pullImage('app:1', undefined, () => undefined, never),
      500,
      { message: hostile },
    ],
  ])('%s', async (_what, call, status, body) => {
    expectCut(await told(call, status, body));
  });
});

describe('from ECS, what is cut is', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => void vi.unstubAllEnvs());
  });
  const scope = { region: 'us-west-2' };
  const cluster = exampleBlock.cluster_arn;
  const read = (ecs: EcsApi) => ecs.describeService({ scope, cluster, service: 'a' }, 'user', never);

  test.each<[what: string, call: (ecs: EcsApi) => Promise<unknown>, answer: (call: StandInCall) => unknown]>([
    [
      'a refusal',
      (ecs) => ecs.createService(scope, { cluster, serviceName: 'a', taskDefinition: 'app:1' }, never),
      () => new Error(hostile),
    ],
    [
      'an event of a service',
      read,
      () => ({ services: [{ serviceName: 'a', events: [{ id: '1', message: hostile }] }] }),
    ],
    [
      'why a rollout failed',
      read,
      () => ({ services: [{ serviceName: 'a', deployments: [{ rolloutStateReason: hostile }] }] }),
    ],
    [
      'why a task stopped',
      (ecs) => ecs.describeTasks({ scope, cluster, service: 'a' }, { limit: 10, priority: 'user' }, never),
      ({ operation }) =>
        operation === 'ListTasks'
          ? { taskArns: ['arn:task/1'] }
          : { tasks: [{ stoppedReason: hostile, containers: [{ name: 'app', reason: hostile }] }] },
    ],
  ])('%s', async (_what, call, answer) => {
    const standIn = await startStandIn((asked, response) => {
      const body = answer(asked);
      if (body instanceof Error) refuse(response, 'InvalidParameterException', body.message);
      else reply(response, body);
    });
    onTestFinished(() => standIn.stop());
    const ecs = ecsClient({ endpoint: standIn.url });
    onTestFinished(() => ecs.close());
    expectCut(textsIn(await call(ecs).catch((error: unknown) => error)));
  });
});
