import { describe, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import type { ComputeStatusBlock } from '../../src/api/status.ts';
import type { WaveCounts } from '../../src/controller/rollout/wave.ts';
import { namespace, startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';

/** A new default of the operator's config goes out to Tenants that nobody has changed. */

const starting: ComputeStatusBlock = { state: 'starting', health: 'unknown', running: 0, desired: 1 };
const names = ['a', 'b', 'c', 'd', 'e'];

interface Process {
  readonly ns: ControllerFixture;
  readonly docker: ScriptedProvider;
  readonly counts: () => WaveCounts | undefined;
}

interface Starting {
  /** What Tenants run that name nothing else. */
  readonly image: string;
  /** Whose place it takes. */
  readonly after?: Process;
  /** Whether what it updates comes up by itself. */
  readonly comesUp?: boolean;
  readonly isLimited?: boolean;
  /** Where Tenants run that name no place. */
  readonly place?: string;
}

async function operator(options: Starting): Promise<Process> {
  const { image, after, comesUp = false, isLimited = true, place } = options;
  await after?.ns.stop();
  const docker = scriptedProvider('docker');
  Object.assign(docker.enabled.definition, { sharedKeys: ['image', 'place'] });
  Object.assign(docker.enabled.block, { image, ...(place !== undefined && { place }) });
  for (const [key, workload] of after?.docker.workloads ?? []) docker.workloads.set(key, workload);
  docker.showsAfterStep = comesUp ? {} : { compute: starting };
  let counts: WaveCounts | undefined;
  const ns = await startController([docker], {
    ...(isLimited && { rollouts: new Map([['docker', { maxConcurrent: 2, maxFailures: 1 }]]) }),
    metrics: { onRollout: (_provider, now) => (counts = now) },
    ...(after && { apiserver: after.ns.apiserver }),
  });
  return { ns, docker, counts: () => counts };
}

/** Five Tenants that are Ready with app:1. */
async function before(): Promise<Process> {
  const one = await operator({ image: 'app:1', comesUp: true });
  for (const name of names) await one.ns.create(name, { tenantId: name });
  expect(await one.ns.conditions('e')).toEqual(['Ready=True/Running']);
  return one;
}

/** And the next operator, with app:2, whose updates begin, and do not come up by themselves. */
async function changed(): Promise<Process> {
  return operator({ image: 'app:2', after: await before() });
}

/** Those whose update was begun, in that order. */
const begun = ({ docker }: Process): string =>
  changesIn(docker.calls)
    .map((change) => change.replace(/^update (.*)@docker$/, '$1'))
    .join(' ');

/** What was begun for them has come up. */
async function arrive({ docker, ns }: Process, ...arrived: readonly string[]): Promise<void> {
  for (const name of arrived) {
    Object.assign(docker.workloads.get(`${name}@docker`) ?? {}, { shows: {} });
    docker.hint(name);
  }
  await ns.pass(1_000);
}

const reconciling = async ({ ns }: Process, name: string) =>
  findCondition((await ns.get(name)).status?.conditions, 'Reconciling')?.message;

describe('a new default of the operator', () => {
  test('goes out to all at once where there is no limit', async () => {
    const next = await operator({ image: 'app:2', after: await before(), isLimited: false });
    expect(begun(next)).toBe('a b c d e');
  });

  test('goes out to as many at once as may be, each of which is Ready before the next begins', async () => {
    const next = await changed();
    expect(begun(next)).toBe('a b');
    await next.ns.pass(60_000);
    expect(begun(next)).toBe('a b');
    expect(next.counts()).toEqual({ waiting: 3, inProgress: 2, failed: 0, halted: false });
    await arrive(next, 'b');
    expect(begun(next)).toBe('a b c');
    await arrive(next, 'a', 'c');
    expect(begun(next)).toBe('a b c d e');
    await arrive(next, 'd', 'e');
    for (const name of names) expect(await next.ns.conditions(name)).toEqual(['Ready=True/Running']);
    expect(next.counts()).toEqual({ waiting: 0, inProgress: 0, failed: 0, halted: false });
    expect((await next.ns.get('a')).status?.rollout).toBeUndefined();
  });

  test('leaves those that wait Ready, saying what they wait for', async () => {
    const next = await changed();
    expect(await next.ns.conditions('c')).toEqual(['Ready=True/Running', 'Reconciling=True/Updating']);
    expect(await reconciling(next, 'c')).toBe(
      'waits for its turn: the operator runs something else for it now, and updates at most 2 Tenants of docker at once',
    );
    expect(await next.ns.conditions('a')).toEqual(['Ready=False/Updating', 'Reconciling=True/Updating']);
  });

  test('costs those that wait one look and one write, and nothing more until it is their turn', async () => {
    const next = await changed();
    const looks = () =>
      next.docker.calls.filter(({ what }) => what.startsWith('e@docker')).map(({ operation }) => operation);
    expect(looks()).toEqual(['validate', 'getStatus']);
    expect(next.ns.writes().filter((write) => write.includes('/e/'))).toEqual(['PATCH tenants/e/status']);
    await next.ns.pass(240_000);
    await arrive(next, 'a');
    expect(looks()).toEqual(['validate', 'getStatus']);
    expect(next.ns.writes().filter((write) => write.includes('/e/'))).toEqual([]);
  });

  test('is known to the next process, too', async () => {
    const next = await changed();
    const third = await operator({ image: 'app:2', after: next });
    expect(begun(third)).toBe('');
    expect(third.counts()).toEqual({ waiting: 3, inProgress: 2, failed: 0, halted: false });
    await arrive(third, 'a');
    expect(begun(third)).toBe('c');
  });

  test('that is taken back before it has gone out touches none that waits', async () => {
    const back = await operator({ image: 'app:1', after: await changed(), comesUp: true });
    await back.ns.pass(10_000);
    expect(begun(back)).toBe('a b');
    for (const name of names) expect(await back.ns.conditions(name)).toEqual(['Ready=True/Running']);
  });
});

describe('a new place in the operator’s config', () => {
  test('is moved to by as many at once as may be', async () => {
    const next = await operator({ image: 'app:1', place: 'b', after: await before() });
    expect(begun(next)).toBe('provision a@docker/b provision b@docker/b');
    expect(await next.ns.conditions('c')).toEqual(['Ready=True/Running', 'Reconciling=True/Updating']);
    expect((await next.ns.get('c')).status?.placement).toEqual({ provider: 'docker' });
    Object.assign(next.docker.workloads.get('a@docker/b') ?? {}, { shows: {} });
    next.docker.hint('a');
    await next.ns.pass(10_000);
    expect(begun(next)).toContain('provision c@docker/b');
    expect(begun(next)).not.toContain('provision d@docker/b');
  });
});

describe('nobody’s turn is waited for by', () => {
  test.each<[what: string, patch: object]>([
    ['an edit', { spec: { computeConfig: { docker: { image: 'app:3' } } } }],
    ['a requested reconcile', { metadata: { annotations: { [reconcileRequestedAt]: 'now' } } }],
  ])('%s of somebody', async (_what, patch) => {
    const next = await changed();
    await next.ns.patch('e', patch);
    await next.ns.pass(1_000);
    expect(begun(next)).toBe('a b e');
    expect(next.counts()).toMatchObject({ waiting: 2, inProgress: 2 });
  });

  test('a new Tenant', async () => {
    const next = await changed();
    await next.ns.create('new', { tenantId: 'new' });
    expect(begun(next)).toBe('a b provision new@docker');
  });

  test('what has drifted of one that waits', async () => {
    const next = await changed();
    const change = {
      path: 'state',
      desired: 'running',
      actual: 'exited',
      cause: 'drift',
      effect: 'live',
    } as const;
    Object.assign(next.docker.workloads.get('e@docker') ?? {}, { drift: [change] });
    next.docker.hint('e');
    await next.ns.pass(1_000);
    expect(begun(next)).toBe('a b hold e@docker');
    expect(next.docker.workloads.get('e@docker')?.specHash).toBe('image=app:1');
  });
});

describe('the next one begins where one at work', () => {
  test('is deleted', async () => {
    const next = await changed();
    await next.ns.tenants.delete('a', namespace);
    await next.ns.pass(1_000);
    expect(begun(next)).toBe('a b destroy a@docker c');
  });

  test('is suspended', async () => {
    const next = await changed();
    await next.ns.patch('a', { spec: { suspend: true } });
    await next.ns.pass(1_000);
    expect(begun(next)).toBe('a b c');
  });

  test('is changed by somebody', async () => {
    const next = await changed();
    await next.ns.patch('a', { spec: { computeConfig: { docker: { image: 'app:3' } } } });
    await next.ns.pass(1_000);
    expect(begun(next)).toBe('a b a c');
  });
});

describe('a rollout is halted', () => {
  /** The first one is rolled back. */
  async function failed(): Promise<Process> {
    const next = await changed();
    Object.assign(next.docker.workloads.get('a@docker') ?? {}, {
      shows: { rolledBack: { reason: 'RolledBack', message: 'it crashed' } },
    });
    next.docker.hint('a');
    await next.ns.pass(60_000);
    return next;
  }

  test('by as many failures as there may be, and says so', async () => {
    const next = await failed();
    await arrive(next, 'b');
    await next.ns.pass(600_000);
    expect(begun(next)).toBe('a b');
    expect(next.counts()).toEqual({ waiting: 3, inProgress: 0, failed: 1, halted: true });
    expect(await next.ns.conditions('c')).toEqual(['Ready=True/Running', 'Reconciling=True/Updating']);
    expect(await reconciling(next, 'c')).toBe(
      'keeps what runs: the operator runs something else for it now, and that has failed for as many Tenants of docker as may fail (1)',
    );
    expect((await next.ns.get('a')).status?.rollout).toMatchObject({
      state: 'Failed',
      specHash: 'image=app:2',
    });
  });

  test('for the next process, too', async () => {
    const third = await operator({ image: 'app:2', after: await failed() });
    await third.ns.pass(60_000);
    expect(begun(third)).toBe('');
    expect(third.counts()).toMatchObject({ failed: 1, halted: true });
  });

  test('until what has failed is changed by somebody', async () => {
    const next = await failed();
    await arrive(next, 'b');
    Object.assign(next.docker.workloads.get('a@docker') ?? {}, { shows: {} });
    await next.ns.patch('a', { spec: { computeConfig: { docker: { image: 'app:3' } } } });
    await next.ns.pass(60_000);
    expect(begun(next)).toBe('a b a c d');
  });

  test('by one that is not Ready after ten minutes', async () => {
    const next = await changed();
    await next.ns.pass(599_000);
    expect(next.counts()).toMatchObject({ inProgress: 2, failed: 0 });
    await next.ns.pass(1_000);
    expect(next.counts()).toMatchObject({ inProgress: 0, failed: 2, halted: true });
    expect(begun(next)).toBe('a b');
    await arrive(next, 'a', 'b');
    await next.ns.pass(60_000);
    expect(begun(next)).toBe('a b c d');
  });
});
