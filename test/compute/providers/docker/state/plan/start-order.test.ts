import { describe, expect, it } from 'vitest';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../../src/compute/providers/docker/state/observed-container.ts';
import { planHold } from '../../../../../../src/compute/providers/docker/state/plan/plan-hold.ts';
import { planStep } from '../../../../../../src/compute/providers/docker/state/plan/plan-step.ts';
import type { Step } from '../../../../../../src/compute/providers/docker/state/plan/step.ts';
import type { ContainerSpec } from '../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../../docker-fixture.ts';
import { asDesired, clock, nowMs, outdated } from '../../observed-fixture.ts';

type Over = Partial<ObservedContainer>;
type Dependency = NonNullable<ContainerSpec['dependsOn']>[number];

const names = (containers: readonly { readonly name: string }[]): string =>
  containers.map(({ name }) => name.replace('landlord-tenant-acme.', '')).join(' ');

function words(step: Step): string {
  switch (step.do) {
    case 'start':
    case 'create':
    case 'remove':
    case 'stop':
      return `${step.do} ${names(step.containers)}`;
    case 'rename':
      return `rename ${names([step.container])}`;
    case 'join':
      return `name ${names(step.joining.map(({ container }) => container))}`;
    case 'wait':
      return `wait ${step.lookAgainAfterMs}: ${step.message}`;
    case 'give-up':
      return `give up${step.forGood ? '' : ' for now'}: ${step.message}`;
    case 'fail':
      return `fail: ${step.message}`;
    case 'nothing':
    case 'unpause':
    case 'update':
      return step.do;
    default:
      return step satisfies never;
  }
}

/** An app, and what it depends on. */
function tenant(
  dependsOn: readonly Dependency[],
  others: readonly ContainerSpec[],
  config: Record<string, unknown> = {},
) {
  const containers = [containerSpec('app', { dependsOn: [...dependsOn] }), ...others];
  const desired = desiredTenant(tenantSpec(config, { containers }), settings());
  const of = (name: string) => {
    const found = desired.containers.find(({ spec }) => spec.name === name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };
  const failed = (ids: readonly string[]) =>
    new Map(ids.map((id) => [`landlord-tenant-acme.${id}`, { why: 'is refused', own: false }]));
  return {
    desired,
    serving: (name: string, over: Over = {}, inspected: Partial<Inspected> = {}) =>
      asDesired(of(name), over, inspected),
    old: (name: string, over: Over = {}) => outdated(of(name), over),
    next: (name: string, over: Over = {}, inspected: Partial<Inspected> = {}) =>
      asDesired(of(name), { name: `${of(name).engineName}_next`, ...over }, inspected),
    plan: (observed: readonly ObservedContainer[], refused: readonly string[] = []) =>
      words(planStep(desired, observed, { clock, engineStartedMs: 0, failed: failed(refused) })),
  };
}

const made = { state: 'created' } as const;
const done = { state: 'exited', exitCode: 0 } as const;
const broken = { state: 'exited', exitCode: 3, lastOutput: 'no such table' } as const;
const fresh = { startedMs: nowMs - 1_000 };
const healthCheck = { command: ['/ok'], intervalSeconds: 2, retries: 3, startPeriodSeconds: 0 };

const afterDb = (condition: Dependency['condition'], over: Partial<ContainerSpec> = {}) =>
  tenant([{ container: 'db', condition }], [containerSpec('db', over)]);
const afterJob = (restartPolicy: 'OnFailure' | 'Never', over: Partial<ContainerSpec> = {}) =>
  tenant([{ container: 'job', condition: 'Completed' }], [containerSpec('job', { restartPolicy, ...over })]);

describe('a container that comes after another one', () => {
  it('is made with it, and started once that is started', () => {
    const { plan, serving } = afterDb('Started');
    expect(plan([])).toBe('create app db');
    expect(plan([serving('app', made), serving('db', made)])).toBe('start db');
    expect(plan([serving('app', made), serving('db', {}, fresh)])).toBe('start app');
    expect(plan([serving('app', made), serving('db', { state: 'restarting', exitCode: 1 })])).toBe(
      'start app',
    );
  });

  it('is started once that is healthy, by its check', () => {
    const { plan, serving } = afterDb('Healthy', { healthCheck });
    const wait = 'wait 5000: Waiting until db is healthy, before app is started';
    expect(plan([serving('app', made), serving('db', { health: 'starting' })])).toBe(wait);
    expect(plan([serving('app', made), serving('db', { health: 'unhealthy' })])).toMatch(/^wait 30000: /);
    expect(plan([serving('app', made), serving('db', { health: 'healthy' })])).toBe('start app');
  });

  it('and without one once that has run for the settling time', () => {
    const { plan, serving } = afterDb('Healthy');
    expect(plan([serving('app', made), serving('db', {}, fresh)])).toBe(
      'wait 2000: Waiting until db is healthy, before app is started',
    );
    expect(plan([serving('app', made), serving('db')])).toBe('start app');
  });

  it('is started once that has completed, be it gone since', () => {
    const { plan, serving } = afterJob('Never');
    expect(plan([serving('app', made), serving('job')])).toBe(
      'wait 30000: Waiting until job has completed, before app is started',
    );
    expect(plan([serving('app', made), serving('job', done)])).toBe('start app');
    const onFailure = afterJob('OnFailure');
    expect(onFailure.plan([serving('app', made), onFailure.serving('job', done)])).toBe('start app');
  });

  it('is started again after it, where both were ended', () => {
    const ended = { state: 'exited', exitCode: 143 } as const;
    const { plan, serving } = afterDb('Started');
    expect(plan([serving('app', ended), serving('db', ended)])).toBe('start db');
    const checked = afterDb('Healthy', { healthCheck });
    const [app, db] = [checked.serving('app', ended), checked.serving('db', ended)];
    expect(checked.plan([app, db])).toBe('start db');
    // How it does is no reason to keep down what has served.
    expect(checked.plan([app, checked.serving('db', { health: 'unhealthy' })])).toBe('start app');
  });

  it('is not started where that fails for good, and the end of that is told', () => {
    const { plan, serving } = afterJob('Never');
    expect(plan([serving('app', made), serving('job', broken)])).toBe(
      'fail: container app waits for job, which exited with code 3: no such table',
    );
    // The engine tries it again.
    const onFailure = afterJob('OnFailure');
    expect(
      onFailure.plan([
        onFailure.serving('app', made),
        onFailure.serving('job', { state: 'restarting', exitCode: 3 }),
      ]),
    ).toMatch(/^wait 30000: Waiting until job has completed/);
  });

  it('holds up no other one, nor what is to be mended', () => {
    const { plan, serving } = tenant(
      [{ container: 'db', condition: 'Healthy' }],
      [containerSpec('db'), containerSpec('side')],
    );
    const waiting = [serving('app', made), serving('db', {}, fresh)];
    expect(plan([...waiting, serving('side', made)])).toBe('start side');
    expect(plan([...waiting, serving('side', { state: 'paused' })])).toBe('unpause');
  });

  it('waits for nothing where that can not be started: why is told by who tried', () => {
    const { plan, serving } = afterDb('Started');
    expect(plan([serving('app', made), serving('db', made)], ['db'])).toBe('nothing');
    expect(plan([serving('app', made)], ['db'])).toBe('nothing');
  });

  it('in a chain waits for the whole of it', () => {
    const { plan, serving } = tenant(
      [{ container: 'api', condition: 'Started' }],
      [containerSpec('api', { dependsOn: [{ container: 'db', condition: 'Healthy' }] }), containerSpec('db')],
    );
    const [app, api] = [serving('app', made), serving('api', made)];
    expect(plan([app, api, serving('db', made)])).toBe('start db');
    expect(plan([app, api, serving('db', {}, fresh)])).toBe(
      'wait 2000: Waiting until api is started, before app is started; until db is healthy, before api is started',
    );
    expect(plan([app, api, serving('db', made)], ['db'])).toBe('nothing');
    expect(plan([app, api, serving('db')])).toBe('start api');
    expect(plan([app, serving('api'), serving('db')])).toBe('start app');
  });
});

it('keeps the order also where it was made for a spec that is no longer wanted, and never started', () => {
  const hold = (...observed: ObservedContainer[]) => words(planHold(observed, { clock, failed: new Map() }));
  const { old } = afterDb('Healthy');
  expect(hold(old('app', made), old('db', made))).toBe('start db');
  expect(hold(old('app', made), { ...old('db'), health: 'starting' })).toBe(
    'wait 5000: Waiting until db is healthy, before app is started',
  );
  expect(hold(old('app', made), old('db'))).toBe('start app');
  // What has run serves again at once.
  expect(hold(old('app', { state: 'exited', exitCode: 143 }), { ...old('db'), health: 'unhealthy' })).toBe(
    'start app',
  );
});

it('keeps the order of what is wanted now for what never ran and is a part of that', () => {
  const { desired, old, serving } = afterJob('OnFailure');
  const hold = (...observed: ObservedContainer[]) =>
    words(planHold(observed, { clock, failed: new Map() }, { desired }));
  // As while the image of another job is pulled.
  expect(hold(serving('app', made), old('job', done))).toBe('nothing');
  expect(hold(serving('app', made), serving('job', done))).toBe('start app');
});

describe('in a rollout', () => {
  it('a successor comes after the successor of what it depends on, not after the old one', () => {
    const { plan, old, next } = afterDb('Healthy');
    const before = [old('app'), old('db')];
    expect(plan([...before, next('app', made), next('db', made)])).toBe('start db_next');
    expect(plan([...before, next('app', made), next('db', {}, fresh)])).toBe(
      'wait 2000: Waiting until the new db is known to run well',
    );
    expect(plan([...before, next('app', made), next('db')])).toBe('start app_next');
    expect(plan([...before, next('app', {}, fresh), next('db')])).toMatch(
      /^wait 2000: Waiting until the new app/,
    );
    expect(plan([...before, next('app'), next('db')])).toMatch(/^rename/);
  });

  it('a successor comes after what stays as it is', () => {
    const { plan, old, next, serving } = afterDb('Healthy');
    expect(plan([old('app'), next('app', made), serving('db')])).toBe('start app_next');
    expect(plan([old('app'), next('app', made), serving('db', {}, fresh)])).toBe(
      'wait 2000: Waiting until db is healthy, before app is started',
    );
    expect(plan([old('app'), next('app', made), serving('db', made)], ['db'])).toBe(
      'give up for now: The new container app waits for db. It was removed',
    );
  });

  it('what is depended on fails by itself, though the other one was never started', () => {
    const { plan, old, next } = afterDb('Healthy', { healthCheck });
    expect(plan([old('app'), old('db'), next('app', made), next('db', { health: 'unhealthy' })])).toBe(
      'give up: The new container db fails its health check. It was removed',
    );
  });

  it('a job that fails takes it back, with its last lines', () => {
    const { plan, old, next } = afterJob('Never');
    const before = [old('app'), old('job', done)];
    expect(plan([...before, next('app', made), next('job', broken)])).toBe(
      'give up: The new container job exited with code 3: no such table. It was removed',
    );
    expect(plan([...before, next('app', made), next('job', done)])).toBe('start app_next');
  });

  it('a job that is done is not run again where what waits for it is edited before it has its place', () => {
    const { plan, old, next } = afterJob('Never');
    const stale = { ...old('app', made), name: 'landlord-tenant-acme.app_next' };
    const before = [old('app'), old('job', done), next('job', done)];
    expect(plan([...before, stale])).toBe('rename app_next');
    expect(plan([...before, { ...stale, name: 'landlord-tenant-acme.app_drop' }])).toBe('remove app_drop');
    expect(plan(before)).toBe('create app_next');
    expect(plan([...before, next('app', made)])).toBe('start app_next');
  });

  it('a job that has failed before, and is not run again, takes it back, too', () => {
    const { plan, old, next, serving } = afterJob('Never');
    expect(plan([old('app'), next('app', made), serving('job', broken)])).toBe(
      'give up: The new container app waits for job, which exited with code 3: no such table. It was removed',
    );
  });

  it('stops for a successor only what is in its way once it may be started', () => {
    const { plan, old, next } = tenant([{ container: 'db', condition: 'Healthy' }], [containerSpec('db')], {
      volumes: ['data:/data'],
    });
    const writes = { writableMounts: ['landlord-acme_data'] };
    const before = (name: string): ObservedContainer => {
      const container = old(name);
      return { ...container, inspected: container.inspected && { ...container.inspected, ...writes } };
    };
    expect(plan([before('app'), before('db'), next('app', made), next('db', made)])).toBe('stop app db');
    expect(plan([old('app'), old('db'), next('app', made), next('db', {}, fresh)])).toMatch(/^wait/);
  });
});

describe('one that is not essential', () => {
  const withSide = tenant([], [containerSpec('side', { essential: false })]);

  it.each<[string, Over, Partial<Inspected>]>([
    ['has just been started', {}, fresh],
    ['has ended', { state: 'exited', exitCode: 1 }, {}],
    ['keeps exiting', { state: 'restarting', exitCode: 1 }, { restartCount: 5 }],
    ['fails its health check', { health: 'unhealthy' }, {}],
  ])('holds up no rollout: it %s', (_how, over, inspected) => {
    const { plan, old, next } = withSide;
    expect(plan([old('app'), old('side'), next('app'), next('side', over, inspected)])).toMatch(/^rename/);
  });

  it('is started before what it is to succeed goes', () => {
    const { plan, old, next } = withSide;
    expect(plan([old('app'), old('side'), next('app'), next('side', made)])).toBe('start side_next');
  });

  it('counts while another one waits for it', () => {
    const { plan, old, next } = afterJob('Never', { essential: false });
    const before = [old('app'), old('job', done)];
    expect(plan([...before, next('app', made), next('job', broken)])).toMatch(
      /^give up: The new container job/,
    );
    expect(plan([...before, next('app', made), next('job')])).toMatch(/^wait/);
    const { plan: planDb, old: oldOf, next: nextOf } = afterDb('Started', { essential: false });
    const crashed = nextOf('db', { state: 'exited', exitCode: 1 }, {});
    expect(planDb([oldOf('app'), oldOf('db'), nextOf('app'), crashed])).toMatch(/^rename/);
  });
});
