import { describe, expect, test } from 'vitest';
import {
  taskCalls,
  taskDefinitionCalls,
} from '../../../../../src/compute/providers/ecs/engine/task-calls.ts';
import { never } from '../client-fixture.ts';
import { clusterArn } from '../memory-ecs.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';
import { anyConsent } from '../../../permits.ts';

const scope = { region: 'us-west-2' };
const target = { scope, cluster: clusterArn, service: 'a' };
const arn = (revision: number, family = 'app') => `arn:aws:ecs:r:1:task-definition/${family}:${revision}`;
type Calls = ReturnType<typeof taskDefinitionCalls>;

const describeOne = (calls: Calls) => calls.describeTaskDefinition(scope, arn(1), never);
const register = (calls: Calls) =>
  calls.registerTaskDefinition(scope, { family: 'app', containerDefinitions: [] }, never);
const deregister = (calls: Calls) => calls.deregisterTaskDefinition(scope, arn(1), anyConsent, never);
const list = (calls: Calls) => calls.listTaskDefinitions(scope, 'app', never);

describe('a task definition', () => {
  test.each<
    [action: string, call: (calls: Calls) => unknown, family: string, isRepeatable: boolean, input: object]
  >([
    ['DescribeTaskDefinition', describeOne, 'Reads', true, { taskDefinition: arn(1), include: ['TAGS'] }],
    ['RegisterTaskDefinition', register, 'Writes', false, { family: 'app', containerDefinitions: [] }],
    ['DeregisterTaskDefinition', deregister, 'Writes', true, { taskDefinition: arn(1) }],
    [
      'ListTaskDefinitions',
      list,
      'Reads',
      true,
      { familyPrefix: 'app', status: 'ACTIVE', sort: 'DESC', maxResults: 100 },
    ],
  ])('%s is asked for in these words', async (action, call, family, isRepeatable, input) => {
    const connection = scriptedConnection([{ taskDefinition: {} }]);
    await call(taskDefinitionCalls(connection));
    expect(connection.asked).toEqual([
      { scope, action, family: `taskDefinition${family}`, isRepeatable, input },
    ]);
  });

  test.each([
    [{ taskDefinition: { family: 'app' } }, { taskDefinition: { family: 'app' }, tags: [] }],
    [
      { taskDefinition: { family: 'app' }, tags: [{ key: 'k', value: 'v' }] },
      { taskDefinition: { family: 'app' }, tags: [{ key: 'k', value: 'v' }] },
    ],
    [{}, undefined],
  ])('that ECS describes as %j is %j', async (answer, described) => {
    expect(await describeOne(taskDefinitionCalls(scriptedConnection([answer])))).toEqual(described);
  });

  test('that was registered is what the answer says, and without one may be there', async () => {
    const registered = { taskDefinitionArn: arn(2) };
    const connection = scriptedConnection([{ taskDefinition: registered }, {}]);
    expect(await register(taskDefinitionCalls(connection))).toEqual(registered);
    await expect(register(taskDefinitionCalls(connection))).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: /answered without a task definition/,
    });
  });

  test('of a family is one of its own revisions, of whichever page, newest first', async () => {
    const connection = scriptedConnection([
      { taskDefinitionArns: [arn(9), arn(10), arn(3, 'app-other')], nextToken: 'more' },
      { taskDefinitionArns: [arn(2)] },
    ]);
    expect(await list(taskDefinitionCalls(connection))).toEqual([arn(10), arn(9), arn(2)]);
    expect(connection.asked.map(({ input }) => (input as { nextToken?: string }).nextToken)).toEqual([
      undefined,
      'more',
    ]);
    expect(await list(taskDefinitionCalls(scriptedConnection([{}])))).toEqual([]);
  });

  const none = ['ClientException', 'Unable to describe task definition.'] as const;
  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, text: string, end: string | undefined]>([
    [describeOne, ...none, undefined],
    [describeOne, 'ConflictException', '', 'ProviderUnavailable'],
    [register, 'ConflictException', '', 'ProvisionFailed'],
    [register, 'ClientException', '', 'InvalidSpec'],
    [deregister, ...none, undefined],
    [deregister, 'ConflictException', '', 'DestroyFailed'],
    [list, 'ConflictException', '', 'ProviderUnavailable'],
  ])('that %o is refused as %s %j comes to %s', async (call, name, text, end) => {
    const told = call(taskDefinitionCalls(scriptedConnection([refusal(name, text)]))).catch(
      (error: { readonly code: string }) => error.code,
    );
    await expect(told).resolves.toBe(end);
  });
});

describe('tasks', () => {
  const names = (status: string, count: number) =>
    Array.from({ length: count }, (_none, index) => `${status}-${index}`);

  test.each([
    [10, 10, 10, 5, 5],
    [10, 2, 10, 8, 2],
    [10, 10, 2, 2, 8],
    [10, 3, 4, 4, 3],
    [9, 9, 9, 5, 4],
    [500, 100, 100, 50, 50],
  ])(
    'up to %i of %i that run and %i that stopped are described: %i of the stopped, then %i of the others',
    async (limit, running, stopped, ofStopped, ofRunning) => {
      const most = Math.min(limit, 100);
      const connection = scriptedConnection([
        { taskArns: names('running', running) },
        { taskArns: names('stopped', stopped) },
        { tasks: [{ taskArn: 'described' }] },
      ]);
      const described = await taskCalls(connection).describeTasks(
        target,
        { limit, priority: 'sweep' },
        never,
      );
      expect(described).toEqual([{ taskArn: 'described' }]);
      const lists = { cluster: clusterArn, serviceName: 'a', maxResults: most };
      const tasks = [...names('stopped', ofStopped), ...names('running', ofRunning)];
      expect(connection.asked.map(({ input }) => input)).toEqual([
        { ...lists, desiredStatus: 'RUNNING' },
        { ...lists, desiredStatus: 'STOPPED' },
        { cluster: clusterArn, tasks },
      ]);
      for (const call of connection.asked)
        expect(call).toMatchObject({ family: 'taskReads', priority: 'sweep', isRepeatable: true });
    },
  );

  test.each<[what: string, answers: unknown[]]>([
    ['the lists are empty', [{}, { taskArns: [] }]],
    ['the cluster is gone', [refusal('ClusterNotFoundException'), refusal('ClusterNotFoundException')]],
    ['the service is gone', [refusal('ServiceNotFoundException'), refusal('ServiceNotActiveException')]],
    ['the description is empty', [{ taskArns: ['a'] }, {}, {}]],
    ['they went meanwhile', [{ taskArns: ['a'] }, {}, refusal('ServiceNotFoundException')]],
  ])('are none where %s', async (_what, answers) => {
    const connection = scriptedConnection(answers);
    expect(await taskCalls(connection).describeTasks(target, { limit: 10, priority: 'user' }, never)).toEqual(
      [],
    );
    expect(connection.asked).toHaveLength(answers.length);
  });

  test('that ECS does not tell of are no news of the service', async () => {
    const connection = scriptedConnection([refusal('ConflictException')]);
    await expect(
      taskCalls(connection).describeTasks(target, { limit: 10, priority: 'user' }, never),
    ).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
  });
});

describe('a task that is of no service', () => {
  const run = (connection: ReturnType<typeof scriptedConnection>) =>
    taskCalls(connection).runTask(scope, { taskDefinition: arn(1) }, never);

  test('is found by who started it, running or stopped, with its tags, whatever else is answered', async () => {
    const mine = { taskArn: 'arn:1', startedBy: 'release' };
    const connection = scriptedConnection([
      { taskArns: ['arn:1'] },
      { taskArns: ['arn:2'] },
      { tasks: [mine, { taskArn: 'arn:2', startedBy: 'ecs-svc/1' }] },
    ]);
    expect(await taskCalls(connection).describeStartedTasks(target, 'release', never)).toEqual([mine]);
    const listed = { cluster: clusterArn, startedBy: 'release', maxResults: 100 };
    expect(connection.asked).toMatchObject([
      { action: 'ListTasks', family: 'taskReads', input: { ...listed, desiredStatus: 'RUNNING' } },
      { action: 'ListTasks', family: 'taskReads', input: { ...listed, desiredStatus: 'STOPPED' } },
      {
        action: 'DescribeTasks',
        input: { cluster: clusterArn, tasks: ['arn:1', 'arn:2'], include: ['TAGS'] },
      },
    ]);
    const none = scriptedConnection([{}, {}]);
    expect(await taskCalls(none).describeStartedTasks(target, 'release', never)).toEqual([]);
    expect(none.asked).toHaveLength(2);
  });

  test('is not run twice for one answer, and says why it has no place', async () => {
    const connection = scriptedConnection([
      { tasks: [{ taskArn: 'arn:1' }] },
      { tasks: [], failures: [{ reason: 'RESOURCE:CPU' }] },
      { failures: [{ reason: 'AGENT', detail: 'gone' }] },
      {},
      refusal('ClusterNotFoundException'),
    ]);
    expect(await run(connection)).toEqual({ taskArn: 'arn:1' });
    expect(await run(connection)).toEqual({ failure: 'RESOURCE:CPU' });
    expect(await run(connection)).toEqual({ failure: 'AGENT (gone)' });
    expect(await run(connection)).toEqual({ failure: 'ECS does not say why' });
    expect(await run(connection)).toBe('cluster-gone');
    expect(connection.asked[0]).toMatchObject({
      action: 'RunTask',
      family: 'taskWrites',
      isRepeatable: false,
    });
  });

  test('is stopped, be it gone already', async () => {
    const gone = refusal('InvalidParameterException', 'The referenced task was not found.');
    const connection = scriptedConnection([{}, gone]);
    const stop = () => taskCalls(connection).stopTask(target, 'arn:1', anyConsent, never);
    await stop();
    await stop();
    expect(connection.asked[0]).toMatchObject({
      action: 'StopTask',
      family: 'taskWrites',
      isRepeatable: true,
      input: { cluster: clusterArn, task: 'arn:1' },
    });
  });
});
