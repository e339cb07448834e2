import {
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { ListTasksCommandInput } from '@aws-sdk/client-ecs';
import { ComputeError } from '../../../errors.ts';
import type { EcsScope, ServiceTarget } from '../address/service-target.ts';
import type { EcsApi, TaskLook } from './ecs-api.ts';
import type { EcsConnection } from './ecs-connection.ts';
import { EcsRefusal, refusalError } from './ecs-refusal.ts';

/** The most that a page of lists, and a DescribeTasks, can have. */
const pageSize = 100;

export type DescribedTaskDefinition = Awaited<ReturnType<EcsApi['describeTaskDefinition']>>;

type TaskDefinitionCalls = Pick<
  EcsApi,
  'registerTaskDefinition' | 'listTaskDefinitions' | 'deregisterTaskDefinition' | 'describeTaskDefinition'
>;

/** `describeTaskDefinition` asks each time here; see task-definition-memory.ts. */
export function taskDefinitionCalls(connection: EcsConnection): TaskDefinitionCalls {
  return {
    describeTaskDefinition: async (scope, taskDefinition, signal) => {
      const answer = await connection.ask(
        {
          ...read(scope, 'DescribeTaskDefinition'),
          send: (client, options) =>
            client.send(new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) return absent(answer);
      const { taskDefinition: described, tags = [] } = answer;
      return described && { taskDefinition: described, tags };
    },
    registerTaskDefinition: async (scope, input, signal) => {
      const answer = await connection.ask(
        {
          ...write(scope, 'RegisterTaskDefinition'),
          // Each makes another revision.
          isRepeatable: false,
          send: (client, options) => client.send(new RegisterTaskDefinitionCommand(input), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) throw refusalError(answer, 'ProvisionFailed');
      if (answer.taskDefinition !== undefined) return answer.taskDefinition;
      const message = 'ECS took ecs:RegisterTaskDefinition and answered without a task definition';
      throw new ComputeError('ProviderUnavailable', message);
    },
    listTaskDefinitions: (scope, family, signal) =>
      listTaskDefinitions(connection, { scope, family }, signal),
    deregisterTaskDefinition: async (scope, taskDefinition, _consent, signal) => {
      const answer = await connection.ask(
        {
          ...write(scope, 'DeregisterTaskDefinition'),
          isRepeatable: true,
          send: (client, options) =>
            client.send(new DeregisterTaskDefinitionCommand({ taskDefinition }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) absent(answer, 'DestroyFailed');
    },
  };
}

async function listTaskDefinitions(
  connection: EcsConnection,
  { scope, family }: { readonly scope: EcsScope; readonly family: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    const input = {
      familyPrefix: family,
      status: 'ACTIVE',
      sort: 'DESC',
      maxResults: pageSize,
      ...(nextToken !== undefined && { nextToken }),
    } as const;
    const answer = await connection.ask(
      {
        ...read(scope, 'ListTaskDefinitions'),
        send: (client, options) => client.send(new ListTaskDefinitionsCommand(input), options),
      },
      signal,
    );
    if (answer instanceof EcsRefusal) throw refusalError(answer, 'ProviderUnavailable');
    arns.push(...(answer.taskDefinitionArns ?? []));
    nextToken = answer.nextToken;
  } while (nextToken !== undefined);
  // Some endpoints take the family for a prefix of its name, as its parameter is called.
  const ofFamily = arns.filter((arn) => arn.includes(`:task-definition/${family}:`));
  return ofFamily.toSorted((a, b) => revisionOf(b) - revisionOf(a));
}

function revisionOf(arn: string): number {
  return Number(arn.slice(arn.lastIndexOf(':') + 1));
}

type TaskCalls = Pick<EcsApi, 'describeTasks' | 'describeStartedTasks' | 'runTask' | 'stopTask'>;

export function taskCalls(connection: EcsConnection): TaskCalls {
  return {
    ...runCalls(connection),
    describeTasks: async (target, { limit, priority }, signal) => {
      const most = Math.min(limit, pageSize);
      const running = await listTasks(
        connection,
        { target, most, priority, desiredStatus: 'RUNNING' },
        signal,
      );
      const stopped = await listTasks(
        connection,
        { target, most, priority, desiredStatus: 'STOPPED' },
        signal,
      );
      // Half of each where there are too many: what stopped tells why, what runs tells where.
      const half = Math.max(Math.ceil(most / 2), most - running.length);
      const tasks = [...stopped.slice(0, half), ...running].slice(0, most);
      if (tasks.length === 0) return [];
      const { scope, cluster } = target;
      const answer = await connection.ask(
        {
          ...taskRead(scope, 'DescribeTasks', priority),
          send: (client, options) => client.send(new DescribeTasksCommand({ cluster, tasks }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) return noTasks(answer);
      return answer.tasks ?? [];
    },
  };
}

function runCalls(connection: EcsConnection): Omit<TaskCalls, 'describeTasks'> {
  return {
    describeStartedTasks: async ({ scope, cluster }, startedBy, signal) => {
      const list = async (desiredStatus: 'RUNNING' | 'STOPPED') =>
        tasksListed(connection, scope, { cluster, startedBy, desiredStatus, maxResults: pageSize }, signal);
      const tasks = [...(await list('RUNNING')), ...(await list('STOPPED'))].slice(0, pageSize);
      if (tasks.length === 0) return [];
      const input = { cluster, tasks, include: ['TAGS' as const] };
      const answer = await connection.ask(
        {
          ...taskRead(scope, 'DescribeTasks', 'user'),
          send: (client, options) => client.send(new DescribeTasksCommand(input), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) return noTasks(answer);
      // Not everything that speaks the language of ECS knows this filter.
      return (answer.tasks ?? []).filter((task) => task.startedBy === startedBy);
    },
    runTask: async (scope, input, signal) => {
      const answer = await connection.ask(
        {
          ...taskWrite(scope, 'RunTask'),
          // A client token makes it the same made twice on ECS, yet not on everything that speaks its language.
          isRepeatable: false,
          send: (client, options) => client.send(new RunTaskCommand(input), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) {
        if (answer.kind === 'cluster-gone') return answer.kind;
        throw refusalError(answer, 'ProvisionFailed');
      }
      const [task] = answer.tasks ?? [];
      if (task !== undefined) return task;
      const { reason = 'ECS does not say why', detail } = answer.failures?.[0] ?? {};
      return { failure: detail === undefined ? reason : `${reason} (${detail})` };
    },
    stopTask: async ({ scope, cluster }, task, _consent, signal) => {
      const answer = await connection.ask(
        {
          ...taskWrite(scope, 'StopTask'),
          isRepeatable: true,
          send: (client, options) => client.send(new StopTaskCommand({ cluster, task }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) noTasks(answer);
    },
  };
}

interface Listing extends Pick<TaskLook, 'priority'> {
  readonly target: ServiceTarget;
  readonly most: number;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
}

async function listTasks(
  connection: EcsConnection,
  { target: { scope, cluster, service }, most, priority, desiredStatus }: Listing,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const input = { cluster, serviceName: service, desiredStatus, maxResults: most };
  return tasksListed(connection, scope, { ...input, priority }, signal);
}

async function tasksListed(
  connection: EcsConnection,
  scope: EcsScope,
  { priority = 'user', ...input }: ListTasksCommandInput & { readonly priority?: TaskLook['priority'] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await connection.ask(
    {
      ...taskRead(scope, 'ListTasks', priority),
      send: (client, options) => client.send(new ListTasksCommand(input), options),
    },
    signal,
  );
  return answer instanceof EcsRefusal ? noTasks(answer) : (answer.taskArns ?? []);
}

/** No cluster, no service: no tasks. */
function noTasks(refusal: EcsRefusal): readonly never[] {
  const { kind } = refusal;
  if (kind === 'cluster-gone' || kind === 'missing' || kind === 'inactive') return [];
  throw refusalError(refusal, 'ProviderUnavailable');
}

function absent(
  refusal: EcsRefusal,
  failed: 'ProviderUnavailable' | 'DestroyFailed' = 'ProviderUnavailable',
): undefined {
  if (refusal.kind === 'no-task-definition') return undefined;
  throw refusalError(refusal, failed);
}

function read(scope: EcsScope, action: string) {
  return { scope, action, family: 'taskDefinitionReads', isRepeatable: true } as const;
}

function write(scope: EcsScope, action: string) {
  return { scope, action, family: 'taskDefinitionWrites' } as const;
}

function taskWrite(scope: EcsScope, action: string) {
  return { scope, action, family: 'taskWrites' } as const;
}

function taskRead(scope: EcsScope, action: string, priority: TaskLook['priority']) {
  return { scope, action, family: 'taskReads', priority, isRepeatable: true } as const;
}
