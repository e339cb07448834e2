import type { ECSClient } from '@aws-sdk/client-ecs';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { connectEcs } from '../../../../../src/compute/providers/ecs/engine/ecs-connection.ts';
import type {
  EcsCall,
  EcsConnection,
} from '../../../../../src/compute/providers/ecs/engine/ecs-connection.ts';
import { CredentialsTrouble } from '../../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import { EcsRefusal } from '../../../../../src/compute/providers/ecs/engine/ecs-refusal.ts';
import type { EcsSession } from '../../../../../src/compute/providers/ecs/engine/ecs-sessions.ts';
import { TokenQueueOverrun } from '../../../../../src/compute/providers/ecs/engine/limits/token-queue.ts';
import type {
  Priority,
  TokenQueue,
} from '../../../../../src/compute/providers/ecs/engine/limits/token-queue.ts';
import { awsError } from '../aws-error.ts';

const never = new AbortController().signal;
const scope = { region: 'us-west-2' };
const family = 'serviceWrites';

const failures = {
  throttled: awsError('ThrottlingException', { status: 400 }),
  later: awsError('ThrottlingException', { status: 400, headers: { 'retry-after': '3' } }),
  tenLater: awsError('ThrottlingException', { status: 400, headers: { 'retry-after': '10' } }),
  muchLater: awsError('ThrottlingException', { status: 400, headers: { 'retry-after': '40' } }),
  lost: awsError('ServerException', { status: 500 }),
  unsent: awsError('Error', { code: 'ECONNREFUSED' }),
  expired: awsError('ExpiredTokenException', { status: 400 }),
  denied: awsError('AccessDeniedException', { status: 400 }),
  refused: awsError('InvalidParameterException', { status: 400 }),
  roleDenied: new CredentialsTrouble('role', awsError('AccessDenied', { status: 403 })),
  stsAway: new CredentialsTrouble('role', awsError('Error', { code: 'ECONNRESET' })),
  stsThrottles: new CredentialsTrouble('role', awsError('Throttling', { status: 400 })),
};
type FailureName = keyof typeof failures;

beforeEach(() => {
  vi.useFakeTimers();
  // The longest that full jitter may wait.
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A connection to an ECS that answers what `answers` say, one try each, and 'ok' after them. */
function connect(answers: readonly (FailureName | Promise<unknown>)[] = []) {
  const noted = {
    tries: [] as number[],
    taken: [] as Priority[],
    slowed: 0,
    given: 0,
    renewed: 0,
    closed: 0,
  };
  const overruns: (Error | undefined)[] = [];
  const renewals: Promise<void>[] = [];
  const tokens: TokenQueue = {
    take: async (priority, signal) => {
      signal.throwIfAborted();
      const overrun = overruns.shift();
      if (overrun !== undefined) throw overrun;
      noted.taken.push(priority);
    },
    giveBack: () => void (noted.given += 1),
    slowDown: () => {
      noted.slowed += 1;
      return noted.slowed === 1;
    },
  };
  const session: EcsSession = {
    client: {} as ECSClient,
    scaling: () => ({}) as never,
    other: () => ({}) as never,
    close: () => undefined,
    renew: async () => {
      noted.renewed += 1;
      await renewals.shift();
    },
  };
  const warnings: unknown[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(JSON.parse(line)) });
  const connection = connectEcs({
    sessions: {
      of: () => session,
      site: ({ region }, action) => ({ action: `ecs:${action}`, region }),
      close: () => void (noted.closed += 1),
    },
    tokensOf: () => tokens,
    logger,
    now: () => Date.now(),
    deadlineMs: 10_000,
  });
  const left = [...answers];
  const began = Date.now();
  const call = (over: Partial<EcsCall<unknown>> = {}): EcsCall<unknown> => ({
    scope,
    action: 'UpdateService',
    family,
    isRepeatable: false,
    send: async () => {
      noted.tries.push(Date.now() - began);
      const answer = left.shift();
      if (typeof answer === 'string') throw failures[answer];
      return (await answer) ?? 'ok';
    },
    ...over,
  });
  return { connection, call, noted, overruns, renewals, warnings };
}

/** What came of it in the end, by its name. */
async function outcome(asked: Promise<unknown>): Promise<string> {
  const told = asked.then(
    (answer) => (answer instanceof EcsRefusal ? `refused: ${answer.kind}` : String(answer)),
    (error: unknown) => (error instanceof ComputeError ? error.code : String(error)),
  );
  await vi.runAllTimersAsync();
  return told;
}

const ask = (
  { connection, call }: { connection: EcsConnection; call: ReturnType<typeof connect>['call'] },
  over?: Partial<EcsCall<unknown>>,
) => outcome(connection.ask(call(over), never));

describe('a call', () => {
  test.each<[answers: FailureName[], isRepeatable: boolean, end: string, triedAtMs: number[]]>([
    [[], false, 'ok', [0]],
    [['throttled', 'throttled'], false, 'ok', [0, 1_000, 3_000]],
    [['throttled', 'throttled', 'throttled'], false, 'Throttled', [0, 1_000, 3_000]],
    [['later'], false, 'ok', [0, 3_000]],
    [['tenLater'], false, 'Throttled', [0]],
    [['muchLater'], false, 'Throttled', [0]],
    [['lost', 'lost'], true, 'ok', [0, 200, 600]],
    [['lost', 'lost', 'lost'], true, 'ProviderUnavailable', [0, 200, 600]],
    [['lost'], false, 'ProviderUnavailable', [0]],
    [['unsent', 'unsent'], false, 'ok', [0, 200, 600]],
    [['expired'], false, 'ok', [0, 0]],
    [['expired', 'expired'], false, 'AccessDenied', [0, 0]],
    [['throttled', 'expired'], false, 'AccessDenied', [0, 1_000]],
    [['denied'], true, 'AccessDenied', [0]],
    [['refused'], true, 'refused: invalid', [0]],
    [['roleDenied'], true, 'AccessDenied', [0]],
    [['stsAway'], false, 'ok', [0, 200]],
    [['stsThrottles'], false, 'Throttled', [0]],
  ])(
    'that meets %j (may be made twice: %j) ends as %s, tried at %j ms',
    async (answers, isRepeatable, end, triedAtMs) => {
      const parts = connect(answers);
      expect(await ask(parts, { isRepeatable })).toBe(end);
      expect(parts.noted.tries).toEqual(triedAtMs);
      expect(parts.noted.taken).toHaveLength(triedAtMs.length);
    },
  );

  test('waits for its token as whom it is made for, unless that was paid before; retries pay anew', async () => {
    const parts = connect(['throttled']);
    await ask(parts);
    expect(parts.noted.taken).toEqual(['user', 'user']);
    const paid = connect(['throttled']);
    await ask(paid, { isPaid: true, priority: 'sweep' });
    expect(paid.noted.taken).toEqual(['sweep']);
    expect(paid.noted.tries).toHaveLength(2);
  });

  test('slows its calls down for a throttle of ECS, which is logged once, and for none of STS', async () => {
    const parts = connect(['throttled', 'throttled']);
    await ask(parts);
    expect(parts.noted.slowed).toBe(2);
    expect(parts.warnings).toHaveLength(1);
    const once = connect(['throttled']);
    await ask(once);
    expect(once.warnings).toHaveLength(1);
    expect(parts.warnings).toMatchObject([{ action: 'ecs:UpdateService', region: 'us-west-2' }]);
    for (const other of ['stsThrottles', 'lost', 'denied'] as const) {
      const { noted, warnings, ...rest } = connect([other]);
      await ask(rest);
      expect([noted.slowed, warnings]).toEqual([0, []]);
    }
  });

  test('that gets no token is put off, or fails by what made it try again', async () => {
    const first = connect();
    first.overruns.push(new TokenQueueOverrun(60_000));
    expect(await ask(first)).toBe('Throttled');
    expect(first.noted.tries).toEqual([]);
    const second = connect(['lost']);
    second.overruns.push(undefined, new TokenQueueOverrun(60_000));
    expect(await ask(second, { isRepeatable: true })).toBe('ProviderUnavailable');
    expect(second.noted.tries).toEqual([0]);
  });

  test('that is never answered ends at its deadline, and is not tried again, for its time is over', async () => {
    const parts = connect([new Promise(() => undefined)]);
    const began = Date.now();
    expect(await ask(parts, { isRepeatable: true })).toBe('ProviderUnavailable');
    expect(Date.now() - began).toBe(10_000);
    expect(parts.noted.tries).toEqual([0]);
  });

  test('tells the SDK that nobody waits any more', async () => {
    const { connection, call } = connect();
    const signals: AbortSignal[] = [];
    const send: EcsCall<unknown>['send'] = (_client, { abortSignal }) => {
      signals.push(abortSignal);
      return new Promise(() => undefined);
    };
    const stop = new AbortController();
    const asked = connection.ask(call({ send }), stop.signal);
    await vi.advanceTimersByTimeAsync(10);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ProviderUnavailable' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test.each<[when: string, answers: readonly (FailureName | Promise<unknown>)[], tries: number]>([
    ['before it began', [], 0],
    ['while it is under way', [new Promise(() => undefined)], 1],
    ['while it waits to be made again', ['throttled'], 1],
  ])('that is given up %s ends at once', async (when, answers, tries) => {
    const { connection, call, noted } = connect(answers);
    const stop = new AbortController();
    if (tries === 0) stop.abort();
    const asked = connection.ask(call(), stop.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    stop.abort();
    await expect(asked, when).resolves.toMatchObject({
      code: 'ProviderUnavailable',
      message: 'A call of ecs:UpdateService to ECS in us-west-2 was given up',
    });
    expect(noted.tries).toHaveLength(tries);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('credentials that are refused', () => {
  test('are renewed once for calls that failed with them together', async () => {
    const parts = connect(['expired', 'expired', 'expired']);
    const ends = await Promise.all([ask(parts), ask(parts), ask(parts)]);
    expect(ends).toEqual(['ok', 'ok', 'ok']);
    expect(parts.noted.renewed).toBe(1);
  });

  test('are not renewed again within 30 s, and are after', async () => {
    const parts = connect(['expired']);
    expect(await ask(parts)).toBe('ok');
    const again = (): Promise<string> => ask(parts, { send: () => Promise.reject(failures.expired) });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(await again()).toBe('AccessDenied');
    expect(parts.noted.renewed).toBe(1);
    expect(parts.noted.taken).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(await again()).toBe('AccessDenied');
    expect(parts.noted.renewed).toBe(2);
  });

  test('that can’t be renewed fail the call by the reason that it had', async () => {
    const parts = connect(['expired']);
    parts.renewals.push(Promise.reject(new Error('no')));
    expect(await ask(parts)).toBe('AccessDenied');
    expect(parts.noted.tries).toEqual([0]);
  });
});

describe('a token ahead of a call', () => {
  const wanted = { scope, action: 'DescribeServices', family } as const;

  test('is taken for users unless said otherwise, and given back', async () => {
    const { connection, noted } = connect();
    await connection.pay(wanted);
    await connection.pay({ ...wanted, priority: 'sweep' });
    connection.refund(scope, family);
    expect(noted).toMatchObject({ taken: ['user', 'sweep'], given: 1 });
  });

  test('that there is none of is Throttled', async () => {
    const { connection, overruns } = connect();
    overruns.push(new TokenQueueOverrun(60_000));
    await expect(connection.pay(wanted)).rejects.toMatchObject({ code: 'Throttled' });
  });
});

test('closing gives up what is under way, lets nothing more begin, and closes the sessions', async () => {
  const { connection, call, noted } = connect([new Promise(() => undefined)]);
  const told = outcome(connection.ask(call(), never));
  connection.close();
  expect(await told).toBe('ProviderUnavailable');
  expect(await outcome(connection.ask(call(), never))).toBe('ProviderUnavailable');
  expect(await outcome(connection.pay({ scope, action: 'X', family }))).toBe('ProviderUnavailable');
  expect(noted).toMatchObject({ closed: 1, taken: ['user'] });
});
