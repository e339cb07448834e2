import { describe, expect, test } from 'vitest';
import { rememberTaskDefinitions } from '../../../../../src/compute/providers/ecs/engine/task-definition-memory.ts';
import { never } from '../client-fixture.ts';

const scope = { region: 'us-west-2' };
const described = { taskDefinition: { family: 'app' }, tags: [] };
type Ask = Parameters<typeof rememberTaskDefinitions>[0];

function memory(answer: (taskDefinition: string) => unknown = () => described) {
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  const closing = new AbortController();
  const ask: Ask = async ({ region, roleArn = 'own' }, taskDefinition, signal) => {
    asked.push(`${region} ${roleArn} ${taskDefinition}`);
    signals.push(signal);
    return answer(taskDefinition) as Awaited<ReturnType<Ask>>;
  };
  return { ...rememberTaskDefinitions(ask, closing.signal), asked, signals, closing };
}

describe('a revision', () => {
  test('is asked for once, for each region and role', async () => {
    const { describe: read, asked } = memory();
    const scopes = [scope, { region: 'eu-west-1' }, { ...scope, roleArn: 'role' }];
    for (const of of [...scopes, ...scopes]) expect(await read(of, 'app:1', never)).toBe(described);
    expect(asked).toEqual(['us-west-2 own app:1', 'eu-west-1 own app:1', 'us-west-2 role app:1']);
  });

  test.each<[what: string, name: string, answer: (name: string) => unknown]>([
    ['a family, which means its latest', 'app', () => described],
    ['what is not there', 'app:1', () => undefined],
    ['what could not be asked', 'app:1', () => Promise.reject(new Error('away'))],
  ])('is remembered unlike %s', async (_what, name, answer) => {
    const { describe: read, asked } = memory(answer);
    for (let looks = 0; looks < 3; looks += 1) await read(scope, name, never).catch(() => undefined);
    expect(asked).toHaveLength(3);
  });

  test('is asked for again once it was forgotten', async () => {
    const { asked, ...remembered } = memory();
    await remembered.describe(scope, 'app:1', never);
    remembered.forget({ region: 'eu-west-1' }, 'app:1');
    await remembered.describe(scope, 'app:1', never);
    expect(asked).toHaveLength(1);
    remembered.forget(scope, 'app:1');
    await remembered.describe(scope, 'app:1', never);
    expect(asked).toHaveLength(2);
  });

  test('that is asked for anew meanwhile is not forgotten for the failure of the one before', async () => {
    const first = Promise.withResolvers<never>();
    const answers: unknown[] = [first.promise, described];
    const { asked, ...remembered } = memory(() => answers.shift());
    const failed = remembered.describe(scope, 'app:1', never).catch(() => 'failed');
    remembered.forget(scope, 'app:1');
    await remembered.describe(scope, 'app:1', never);
    first.reject(new Error('away'));
    expect(await failed).toBe('failed');
    await remembered.describe(scope, 'app:1', never);
    expect(asked).toHaveLength(2);
  });

  test('is asked for on, whoever gives up waiting, until the client closes', async () => {
    const { describe: read, signals, closing } = memory(() => new Promise(() => undefined));
    const stop = new AbortController();
    const waiting = read(scope, 'app:1', stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    closing.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('is not asked for by who has given up before', async () => {
    const { describe: read, asked } = memory();
    await expect(read(scope, 'app:1', AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    expect(asked).toEqual([]);
  });
});

test('of more than 2,000 the oldest is forgotten', async () => {
  const { describe: read, asked } = memory();
  for (let revision = 1; revision <= 2_001; revision += 1) await read(scope, `app:${revision}`, never);
  await read(scope, 'app:2', never);
  expect(asked).toHaveLength(2_001);
  await read(scope, 'app:1', never);
  expect(asked).toHaveLength(2_002);
});
