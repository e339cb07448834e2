import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { createServiceReads } from '../../../../../src/compute/providers/ecs/engine/service-reads.ts';
import { never } from '../client-fixture.ts';
import { clusterArn } from '../memory-ecs.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';
import type { ScriptedConnection } from '../scripted-connection.ts';

const scope = { region: 'us-west-2' };
const describeInput = (services: readonly string[], cluster = clusterArn) => ({
  cluster,
  services,
  include: ['TAGS'],
});
const isNamed =
  (names: readonly string[]) =>
  ({ services }: { services: readonly string[] }) =>
    names.some((name) => services.includes(name));
const found = ({ services }: { services: readonly string[] }) => ({
  services: services.map((serviceName) => ({ serviceName })),
});
const givenUp = 'A call of ecs:DescribeServices to ECS in us-west-2 was given up';
const arnOf = (name: string) => `arn:aws:ecs:us-west-2:1:service/landlord/${name}`;
const deniedOn = (name: string) =>
  new ComputeError('AccessDenied', `ECS denies ecs:DescribeServices on ${arnOf(name)} to role x: allow it`);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Reads all names at once; each comes to its service's name, to what is no service, or to its error. */
async function readAll(connection: ScriptedConnection, names: readonly string[]): Promise<unknown[]> {
  const read = createServiceReads(connection);
  const reads = names.map(async (service) => {
    try {
      const answer = await read({ scope, cluster: clusterArn, service }, 'user', never);
      return typeof answer === 'object' ? answer.serviceName : answer;
    } catch (error) {
      return (error as ComputeError).message;
    }
  });
  const answers = Promise.all(reads);
  await vi.runAllTimersAsync();
  return answers;
}

describe('reads of one moment', () => {
  test('are one call with their tags, and each is answered with its own', async () => {
    const connection = scriptedConnection([
      {
        services: [{ serviceName: 'b' }, { serviceName: 'a' }],
        failures: [
          { arn: arnOf('c'), reason: 'MISSING' },
          { arn: arnOf('d'), reason: 'BROKEN' },
          { arn: arnOf('e') },
        ],
      },
    ]);
    const says = (name: string, why: string) => `ECS can't say what became of service ${name}: ${why}`;
    expect(await readAll(connection, ['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([
      'a',
      'b',
      undefined,
      says('d', 'BROKEN'),
      says('e', 'no reason'),
      says('f', 'its answer does not mention it'),
    ]);
    expect(connection.asked).toEqual([
      {
        scope,
        action: 'DescribeServices',
        family: 'serviceReads',
        priority: 'user',
        isRepeatable: true,
        isPaid: true,
        input: describeInput(['a', 'b', 'c', 'd', 'e', 'f']),
      },
    ]);
  });

  test('are calls of their own for each cluster, region and role', async () => {
    const connection = scriptedConnection([found, found, found, found]);
    const read = createServiceReads(connection);
    const targets = [
      { scope, cluster: 'one', service: 'a' },
      { scope, cluster: 'one', service: 'b' },
      { scope, cluster: 'two', service: 'a' },
      { scope: { region: 'eu-west-1' }, cluster: 'one', service: 'a' },
      { scope: { ...scope, roleArn: 'role' }, cluster: 'one', service: 'a' },
    ];
    const answers = Promise.all(targets.map((target) => read(target, 'sweep', never)));
    await vi.runAllTimersAsync();
    await answers;
    expect(connection.asked.map((call) => [call.scope, call.priority, call.input])).toEqual([
      [scope, 'sweep', describeInput(['a', 'b'], 'one')],
      [scope, 'sweep', describeInput(['a'], 'two')],
      [{ region: 'eu-west-1' }, 'sweep', describeInput(['a'], 'one')],
      [{ ...scope, roleArn: 'role' }, 'sweep', describeInput(['a'], 'one')],
    ]);
  });

  test('of a cluster that is gone are told so, all of them', async () => {
    const connection = scriptedConnection([refusal('ClusterNotFoundException')]);
    expect(await readAll(connection, ['a', 'b'])).toEqual(['cluster-gone', 'cluster-gone']);
  });
});

describe('a name that spoils its batch', () => {
  test('by a refusal that does not name it is found by halves, and the others are answered', async () => {
    const answer = (input: { services: readonly string[] }) =>
      isNamed(['c'])(input) ? refusal('InvalidParameterException', 'bad') : found(input);
    const connection = scriptedConnection(Array.from({ length: 9 }, () => answer));
    const refused = 'ECS in us-west-2 refuses ecs:Any: bad';
    expect(await readAll(connection, ['a', 'b', 'c', 'd', 'e'])).toEqual(['a', 'b', refused, 'd', 'e']);
    expect(connection.asked.map(({ input, isPaid }) => [input, isPaid])).toEqual([
      [describeInput(['a', 'b', 'c', 'd', 'e']), true],
      [describeInput(['a', 'b', 'c']), false],
      [describeInput(['a', 'b']), false],
      [describeInput(['c']), false],
      [describeInput(['d', 'e']), false],
    ]);
  });

  test('by a half that fails altogether leaves the other half its answers', async () => {
    const connection = scriptedConnection([
      refusal('InvalidParameterException', 'bad'),
      new ComputeError('Throttled', 'slower'),
      found,
    ]);
    expect(await readAll(connection, ['a', 'b'])).toEqual(['slower', 'b']);
  });

  test('by a denial that names it is left out, up to three of them, each paid for by itself', async () => {
    const answer = (input: { services: readonly string[] }) => {
      const denied = ['b', 'c', 'd', 'e'].find((name) => input.services.includes(name));
      return denied === undefined ? found(input) : deniedOn(denied);
    };
    const two = scriptedConnection(Array.from({ length: 3 }, () => answer));
    const about = (name: string) => expect.stringContaining(arnOf(name)) as string;
    expect(await readAll(two, ['a', 'b', 'c'])).toEqual(['a', about('b'), about('c')]);
    expect(two.asked.map(({ isPaid }) => isPaid)).toEqual([true, false, false]);
    const four = scriptedConnection(Array.from({ length: 4 }, () => answer));
    expect(await readAll(four, ['a', 'b', 'c', 'd', 'e'])).toEqual([
      about('e'),
      about('b'),
      about('c'),
      about('d'),
      about('e'),
    ]);
  });

  test.each([
    ['alone', ['a'], deniedOn('a')],
    ['and is of none of them', ['a', 'b'], deniedOn('c')],
    ['and names none', ['a', 'b'], new ComputeError('AccessDenied', 'denied')],
    ['by no denial', ['a', 'b'], new ComputeError('Throttled', `slower on ${arnOf('a')}`)],
    ['by no error of ours', ['a', 'b'], new Error(`odd on ${arnOf('a')}`)],
  ])('%s is not asked about again', async (_what, names, error) => {
    const connection = scriptedConnection([error]);
    const answers = await readAll(connection, names);
    expect(connection.asked).toHaveLength(1);
    const message = error instanceof ComputeError ? error.message : givenUp;
    expect(answers).toEqual(names.map(() => message));
  });
});

test('a read that is given up says so in our words', async () => {
  const read = createServiceReads(scriptedConnection([]));
  const stop = new AbortController();
  const asked = read({ scope, cluster: clusterArn, service: 'a' }, 'user', stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: givenUp,
  });
});
