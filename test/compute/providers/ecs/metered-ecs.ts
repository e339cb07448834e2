import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { sleep } from '../../../../src/async/sleep.ts';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { balancingCalls } from '../../../../src/compute/providers/ecs/engine/balancing/balancing-calls.ts';
import { connectEcs } from '../../../../src/compute/providers/ecs/engine/ecs-connection.ts';
import { createRateLimiter } from '../../../../src/compute/providers/ecs/engine/limits/rate-limiter.ts';
import { ecsRateLimits } from '../../../../src/compute/providers/ecs/engine/limits/rate-limits.ts';
import { serviceCalls } from '../../../../src/compute/providers/ecs/engine/service-calls.ts';
import { createServiceReads } from '../../../../src/compute/providers/ecs/engine/service-reads.ts';
import { scalingCalls } from '../../../../src/compute/providers/ecs/engine/scaling/scaling-calls.ts';
import { secretCalls } from '../../../../src/compute/providers/ecs/engine/secrets/secret-calls.ts';
import { taskCalls, taskDefinitionCalls } from '../../../../src/compute/providers/ecs/engine/task-calls.ts';
import { rememberTaskDefinitions } from '../../../../src/compute/providers/ecs/engine/task-definition-memory.ts';
import { anyConsent } from '../../permits.ts';
import { silentLogger } from '../../../cluster/silent-logger.ts';
import { awsError } from './aws-error.ts';
import { clusterArn } from './memory-ecs.ts';
import type { MemoryEcs } from './memory-ecs.ts';

/** ECS in memory behind the operator's own client: its batches, its tokens and its tries, but for the SDK. */
export interface MeteredEcs extends EcsApi {
  /** How often each action was called since the last time that this was asked. */
  take(this: void): Record<string, number>;
  /** The actions since then, in their order. */
  readonly order: readonly string[];
}

/** As long as an answer of ECS takes. */
const latencyMs = 30;
const { signal } = new AbortController();
const scope = { region: 'us-west-2' };

type Input = Readonly<Record<string, unknown>>;

export function meteredEcs(memory: MemoryEcs): MeteredEcs {
  const order: string[] = [];
  const client = {
    async send(command: { readonly input: Input }) {
      const action = command.constructor.name.replace(/Command$/, '');
      order.push(action);
      await sleep(latencyMs);
      return answer(memory, action, command.input);
    },
  } as unknown as ECSClient;
  const session = {
    client,
    scaling: () => client as never,
    other: () => client as never,
    renew: async () => undefined,
    close: () => undefined,
  };
  const connection = connectEcs({
    sessions: {
      of: () => session,
      site: ({ region }, action) => ({ action: `ecs:${action}`, region }),
      close: () => undefined,
    },
    tokensOf: createRateLimiter({
      limits: ecsRateLimits,
      ownAccount: '123456789012',
      now: () => performance.now(),
      maxWaitMs: 30_000,
    }),
    logger: silentLogger,
    now: () => performance.now(),
    deadlineMs: 10_000,
  });
  const definitions = taskDefinitionCalls(connection);
  return {
    describeService: createServiceReads(connection),
    ...serviceCalls(connection),
    ...taskCalls(connection),
    ...scalingCalls(connection),
    ...secretCalls(connection),
    ...balancingCalls(connection),
    ...definitions,
    describeTaskDefinition: rememberTaskDefinitions(definitions.describeTaskDefinition, signal).describe,
    now: () => Date.now(),
    async *serviceHints() {},
    close: () => connection.close(),
    order,
    take() {
      const counts: Record<string, number> = {};
      for (const action of order.splice(0)) counts[action] = (counts[action] ?? 0) + 1;
      return counts;
    },
  };
}

async function answer(memory: MemoryEcs, action: string, input: Input): Promise<unknown> {
  const read = reads[action];
  if (read !== undefined) return read(memory, input);
  switch (action) {
    case 'CreateService':
      return { service: made(await memory.createService(scope, input as never, signal)) };
    case 'UpdateService':
      return { service: made(await memory.updateService(scope, input as never, anyConsent, signal)) };
    case 'DeleteService':
      return { service: made(await memory.deleteService(targetOf(input), anyConsent, signal)) };
    case 'TagResource':
      return (
        (await memory.tagResource(scope, input['resourceArn'] as string, input['tags'] as [], signal)) ?? {}
      );
    case 'UntagResource':
      await memory.untagResource(scope, input['resourceArn'] as string, input['tagKeys'] as [], signal);
      return {};
    case 'RegisterTaskDefinition':
      return { taskDefinition: await memory.registerTaskDefinition(scope, input as never, signal) };
    case 'DeregisterTaskDefinition':
      await memory.deregisterTaskDefinition(scope, input['taskDefinition'] as string, anyConsent, signal);
      return {};
    default:
      throw new Error(`nobody expected ${action}`);
  }
}

const refusals: Readonly<Record<string, string>> = {
  missing: 'ServiceNotFoundException',
  inactive: 'ServiceNotActiveException',
};

function made<T>(answered: T | string): T {
  if (typeof answered !== 'string') return answered;
  throw awsError(refusals[answered] ?? answered, { message: answered, status: 400 });
}

const reads: Readonly<Record<string, (memory: MemoryEcs, input: Input) => Promise<unknown>>> = {
  async DescribeServices(memory, { services: names }) {
    const services: unknown[] = [];
    const failures: unknown[] = [];
    for (const service of names as string[]) {
      const found = await memory.describeService(targetOf({ service }), 'sweep', signal);
      if (found === undefined) failures.push({ arn: serviceArnOf(service), reason: 'MISSING' });
      else services.push(found);
    }
    return { services, failures };
  },
  async ListServices(memory) {
    const pages = await Array.fromAsync(memory.listServices({ scope, cluster: clusterArn }, signal));
    return { serviceArns: pages.flat().map(serviceArnOf) };
  },
  async ListTasks(memory, input) {
    if (input['startedBy'] !== undefined) return { taskArns: [] };
    const tasks = await tasksOf(memory, input['serviceName'] as string);
    return { taskArns: tasks.filter(({ lastStatus }) => lastStatus === input['desiredStatus']).map(arnOf) };
  },
  async DescribeTasks(memory, input) {
    const arns = input['tasks'] as string[];
    const service = arns[0]?.split('/').at(-2) ?? '';
    return { tasks: (await tasksOf(memory, service)).filter((task) => arns.includes(arnOf(task))) };
  },
  async DescribeTaskDefinition(memory, input) {
    const found = await memory.describeTaskDefinition(scope, input['taskDefinition'] as string, signal);
    if (found !== undefined) return found;
    throw awsError('ClientException', { message: 'Unable to describe task definition.', status: 400 });
  },
  async ListTaskDefinitions(memory, input) {
    return {
      taskDefinitionArns: await memory.listTaskDefinitions(scope, input['familyPrefix'] as string, signal),
    };
  },
};

function serviceArnOf(name: string): string {
  return `arn:aws:ecs:us-west-2:123456789012:service/landlord/${name}`;
}

function targetOf({ service }: Input) {
  return { scope, cluster: clusterArn, service: service as string };
}

async function tasksOf(memory: MemoryEcs, service: string): Promise<readonly Task[]> {
  const tasks = await memory.describeTasks(targetOf({ service }), { limit: 100, priority: 'sweep' }, signal);
  return tasks.map((task, index) => ({ ...task, taskArn: `arn:task/landlord/${service}/${index}` }));
}

function arnOf({ taskArn = '' }: Task): string {
  return taskArn;
}
