import { describe, expect, it } from 'vitest';
import type { DesiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../../../src/compute/providers/docker/state/observed-container.ts';
import { planHold } from '../../../../../../src/compute/providers/docker/state/plan/plan-hold.ts';
import { planStep } from '../../../../../../src/compute/providers/docker/state/plan/plan-step.ts';
import type { Step } from '../../../../../../src/compute/providers/docker/state/plan/step.ts';
import { containerSpec, settings, tenantSpec } from '../../docker-fixture.ts';
import { asDesired, clock, nowMs, observedContainer, outdated } from '../../observed-fixture.ts';

type Over = Partial<ObservedContainer>;

const names = (containers: readonly { readonly name: string }[]): string =>
  containers.map(({ name }) => name.replace('landlord-tenant-', '')).join(' ');

/** A step in one line, with all that it says. */
function words(step: Step): string {
  const told = ('failures' in step ? (step.failures ?? []) : []).map(
    ({ id, name, why }) => `; ${names([{ name: id }])}, the new ${name}, ${why}`,
  );
  switch (step.do) {
    case 'create':
    case 'stop':
    case 'remove':
      return `${step.do} ${names(step.containers)}${told.join('')}`;
    case 'start':
      return `start ${step.what} ${names(step.containers)}${told.join('')}`;
    case 'rename':
      return `rename ${names([step.container, step])}`;
    case 'join':
      return step.joining
        .map(
          ({ container, network, aliases }) =>
            `join ${names([container])} to ${network}${aliases.length === 0 ? ' without its name' : ''}`,
        )
        .join(', ');
    case 'unpause':
      return `unpause ${names([step.container])}`;
    case 'update':
      return `update ${names([step.container])} ${JSON.stringify(step.live)}`;
    case 'wait':
      return `wait ${step.lookAgainAfterMs}: ${step.message}`;
    case 'give-up':
      return `give up ${names(step.containers)}${step.forGood ? '' : ' for now'}: ${step.message}`;
    case 'fail':
      return `fail: ${step.message}`;
    case 'nothing':
      return step.do;
  }
  return step satisfies never;
}

type Faults = Readonly<Record<string, string>>;

const faults = (failed: Faults) =>
  new Map(Object.entries(failed).map(([id, why]) => [id, { why, own: true }]));
const plan = (desired: DesiredTenant, observed: readonly ObservedContainer[], failed: Faults = {}): string =>
  words(planStep(desired, observed, { clock, engineStartedMs: 0, failed: faults(failed) }));
const hold = (observed: readonly ObservedContainer[], failed: Faults = {}): string =>
  words(planHold(observed, { clock, failed: faults(failed) }));

/** All that a tenant's container can be, for one that the spec names `name`. */
function cast(desired: DesiredTenant, index = 0) {
  const one = desired.containers[index];
  if (one === undefined) throw new Error('no container');
  const named = (suffix: string) => ({ name: `${one.engineName}${suffix}` });
  return {
    /** Serves, as desired. */
    serving: (over: Over = {}, inspected: Partial<Inspected> = {}) => asDesired(one, over, inspected),
    /** Serves, from an earlier spec. */
    old: (over: Over = {}, inspected: Partial<Inspected> = {}) => outdated(one, over, inspected),
    next: (over: Over = {}, inspected: Partial<Inspected> = {}) =>
      asDesired(one, { ...named('_next'), ...over }, inspected),
    staleNext: (over: Over = {}) => outdated(one, { ...named('_next'), ...over }),
    retired: (over: Over = {}, inspected: Partial<Inspected> = {}) =>
      outdated(one, { ...named('_old'), ...over }, inspected),
    dropped: (over: Over = {}, inspected: Partial<Inspected> = {}) =>
      outdated(one, { ...named('_drop'), ...over }, inspected),
  };
}

const single = desiredTenant(tenantSpec(), settings());
const { serving, old, next, staleNext, retired, dropped } = cast(single);
const pair = desiredTenant(
  tenantSpec({}, { containers: [containerSpec('a'), containerSpec('b')] }),
  settings(),
);
const [a, b] = [cast(pair, 0), cast(pair, 1)];
const made = { state: 'created' } as const;
const ended = { state: 'exited', exitCode: 1 } as const;
/** The successors of this file were made an hour ago: an old one that ended since was stopped for their sake. */
const parked = { finishedMs: nowMs - 3_600_000 };
const before = { finishedMs: nowMs - 3_600_001 };
const fresh = { startedMs: nowMs - 1_000 };

describe('with nothing of an earlier spec', () => {
  it.each<[string, readonly ObservedContainer[], string]>([
    ['nothing there is made', [], 'create acme'],
    ['what serves is left alone', [serving()], 'nothing'],
    ['what the engine restarts is left to it', [serving({ state: 'restarting' })], 'nothing'],
    ['what was made and not started is started', [serving(made)], 'start serving acme'],
    ['what ended is started', [serving(ended)], 'start serving acme'],
    ['what is paused is unpaused', [serving({ state: 'paused' })], 'unpause acme'],
    ['what is dead is removed', [serving({ state: 'dead' })], 'remove acme'],
    ['a successor without predecessor takes the name', [next()], 'rename acme_next acme'],
    ['a successor that nobody needs goes', [serving(), next()], 'remove acme_next'],
    [
      'one that stopped for it runs again before it goes',
      [serving(ended, parked), next(made)],
      'start old acme',
    ],
    ['one that had ended before is no reason to wait', [serving(ended, before), next()], 'remove acme_next'],
  ])('%s', (_what, observed, step) => {
    expect(plan(single, observed)).toBe(step);
  });

  it('what a refused start has shown to be dead weight is not started again and again', () => {
    expect(plan(single, [serving(ended, parked), next(made)], { 'landlord-tenant-acme': 'no' })).toBe(
      'remove acme_next',
    );
  });

  it('limits are changed before what stands still is started with them', () => {
    const live = { nanoCpus: 5e8, memoryBytes: 2 ** 26, restartPolicy: 'always', pidsLimit: 1024 } as const;
    const wanted = desiredTenant(
      tenantSpec({ resources: { cpu: '500m', memory: '64Mi' }, restart_policy: 'always' }),
      settings(),
    );
    const other = { live: { ...live, nanoCpus: 1e9 } };
    expect(plan(wanted, [cast(wanted).serving(ended, other)])).toBe(`update acme ${JSON.stringify(live)}`);
  });

  it('of several, what stood is started, what is missing is made, and then the rest is mended', () => {
    expect(plan(pair, [])).toBe('create acme.a acme.b');
    expect(plan(pair, [b.serving()])).toBe('create acme.a');
    expect(plan(pair, [a.serving(), b.serving()])).toBe('nothing');
    expect(plan(pair, [a.serving(), b.serving(ended)])).toBe('start serving acme.b');
    expect(plan(pair, [a.serving({ state: 'paused' }), b.serving(ended)])).toBe('start serving acme.b');
    expect(plan(pair, [a.serving({ state: 'paused' }), b.serving()])).toBe('unpause acme.a');
    expect(plan(pair, [a.serving(), b.next()])).toBe('rename acme.b_next acme.b');
    expect(plan(pair, [b.serving(ended)])).toBe('start serving acme.b');
    expect(plan(pair, [b.serving(made)])).toBe('create acme.a');
    expect(plan(pair, [a.serving(made), b.serving(made)])).toBe('start serving acme.a acme.b');
  });

  it('of several, one that can not be made or started holds up none of the others', () => {
    expect(plan(pair, [a.serving(ended), b.serving(ended)], { 'landlord-tenant-acme.a': 'no' })).toBe(
      'start serving acme.b',
    );
    expect(
      plan(pair, [a.serving(ended), b.serving({ state: 'paused' })], { 'landlord-tenant-acme.a': 'no' }),
    ).toBe('unpause acme.b');
    expect(plan(pair, [b.serving(made)], { 'landlord-tenant-acme.a': 'no' })).toBe('start serving acme.b');
    expect(plan(pair, [b.serving()], { 'landlord-tenant-acme.a': 'no' })).toBe('nothing');
  });
});

it('what the engine is removing is waited for, whatever else is to be done', () => {
  const removing = [serving({ state: 'removing' }), staleNext()];
  const wait = 'wait 10000: Waiting until the engine has removed the container landlord-tenant-acme';
  expect(plan(single, removing)).toBe(wait);
  expect(hold(removing)).toBe(wait);
});

describe('a rollout', () => {
  it.each<[string, readonly ObservedContainer[], string]>([
    ['begins with a successor beside the old one', [old()], 'create acme_next'],
    ['removes what never ran first', [old(made)], 'remove acme'],
    ['removes what is dead first', [old(), next({ state: 'dead' })], 'remove acme_next'],
    ['starts the successor while the old one runs', [old(), next(made)], 'start successor acme_next'],
    [
      'waits until it has run for the settling time',
      [old(), next({}, fresh)],
      'wait 2000: Waiting until the new app is known to run well',
    ],
    ['gives the name of the old one away', [old(), next()], 'rename acme acme_old'],
    ['gives it to the successor', [retired(), next()], 'rename acme_next acme'],
    ['stops the old one only then', [retired(), serving()], 'stop acme_old'],
    ['also where it restarts', [retired({ state: 'restarting' }), serving()], 'stop acme_old'],
    ['also where it is paused', [retired({ state: 'paused' }), serving()], 'stop acme_old'],
    ['removes it last', [retired(ended), serving()], 'remove acme_old'],
    ['frees the name of an older one first', [old(), retired(), next()], 'stop acme_old'],
    ['and removes that', [old(), retired(ended), next()], 'remove acme_old'],
  ])('%s', (_what, observed, step) => {
    expect(plan(single, observed)).toBe(step);
  });

  it('of several goes over all of them together', () => {
    expect(plan(pair, [a.old()])).toBe('create acme.a_next acme.b_next');
    expect(plan(pair, [a.old(), b.serving()])).toBe('create acme.a_next');
    expect(plan(pair, [a.old(), b.old(), a.next()])).toBe('create acme.b_next');
    expect(plan(pair, [a.old(), b.old(), a.next(), b.next(made)])).toBe('start successor acme.b_next');
    expect(plan(pair, [a.old(), b.old(), a.next(made), b.next(made)])).toBe(
      'start successor acme.a_next acme.b_next',
    );
    expect(plan(pair, [a.retired(), b.old(), a.serving(), b.next()])).toBe('rename acme.b acme.b_old');
  });

  it('waits for those of several that are not proven yet, as long as the next one takes', () => {
    const sooner = { startedMs: nowMs - 2_500 };
    const olds = [a.old(), b.old()];
    expect(plan(pair, [...olds, a.next({}, fresh), b.next({}, sooner)])).toBe(
      'wait 500: Waiting until the new a, b is known to run well',
    );
    expect(plan(pair, [...olds, a.next(), b.next({}, fresh)])).toBe(
      'wait 2000: Waiting until the new b is known to run well',
    );
  });

  it('waits for the end of a pause, as somebody who copies it makes one, before what it succeeds gives way', () => {
    const paused = { pauseCountsInMs: 4_000 };
    const wait = (name: string): string =>
      `wait 4000: Waiting until landlord-tenant-${name} is no longer paused`;
    expect(plan(single, [old(), next(paused)])).toBe(wait('acme_next'));
    expect(plan(single, [retired(), next(paused)])).toBe(wait('acme_next'));
    expect(plan(single, [retired(), serving(paused)])).toBe(wait('acme'));
    expect(plan(pair, [a.old(), a.next(), b.serving(paused)])).toBe(wait('acme.b'));
    expect(hold([retired(), serving(paused)])).toBe(wait('acme'));
    expect(hold([retired(paused), serving()])).toBe('stop acme_old');
  });

  it('from one container to several, and back, retires what the spec no longer has', () => {
    const app = old();
    expect(plan(pair, [app, a.next(), b.next()])).toBe('rename acme.a_next acme.a');
    expect(plan(pair, [app, a.serving(), b.serving()])).toBe('rename acme acme_old');
    expect(plan(pair, [retired(), a.serving(), b.serving()])).toBe('stop acme_old');
    expect(plan(single, [a.old(), b.retired(), serving()])).toBe('stop acme.b_old');
    expect(plan(single, [a.old(), serving()])).toBe('rename acme.a acme.a_old');
  });
});

describe('what can not run beside the old one waits until that is stopped', () => {
  const port = { container_port: 80, host_port: 8080 };
  const onHost = [{ address: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
  const ports = { ports: [port] };
  const volumes = { volumes: ['data:/data'] };
  const source = 'landlord-acme_data';

  it.each<[string, Record<string, unknown>, Over, Partial<Inspected>, boolean]>([
    ['the host port that it asked for', ports, {}, { fixedPorts: ['8080/tcp'] }, true],
    ['the host port that the engine gave it', ports, { ports: onHost }, {}, true],
    ['another host port', ports, {}, { fixedPorts: ['8081/tcp'] }, false],
    ['the port of the other protocol', ports, {}, { fixedPorts: ['8080/udp'] }, false],
    ['the volume that both write to', volumes, {}, { writableMounts: [source] }, true],
    ['that volume by its former name', volumes, {}, { writableMounts: ['landlord-acme-data'] }, true],
    ['another volume', volumes, {}, { writableMounts: ['landlord-acme_other'] }, false],
    [
      'the volume that the new one only reads',
      { volumes: ['data:/data:ro'] },
      {},
      { writableMounts: [source] },
      false,
    ],
    ["the host's network", { network_mode: 'host' }, {}, { networkMode: 'host' }, true],
    [
      "the host's network, which the new one leaves",
      { network_mode: 'none' },
      {},
      { networkMode: 'host' },
      false,
    ],
    ['another network', { network_mode: 'host' }, {}, { networkMode: 'bridge' }, false],
    [
      'a port, while the new one lets the engine choose',
      { ports: [{ container_port: 80 }] },
      {},
      { fixedPorts: ['8080/tcp'] },
      false,
    ],
  ])('holds %s', (_what, config, over, inspected, excluded) => {
    const wanted = desiredTenant(tenantSpec(config), settings({}, { allow_host_network: true }));
    const parts = cast(wanted);
    const start = 'start successor acme_next';
    expect(plan(wanted, [parts.old(over, inspected), parts.next(made)])).toBe(excluded ? 'stop acme' : start);
    for (const state of ['restarting', 'paused'] as const) {
      const up = parts.old({ ...over, state }, inspected);
      expect(plan(wanted, [up, parts.next(made)])).toBe(excluded ? 'stop acme' : start);
    }
    expect(plan(wanted, [parts.old({ ...over, ...ended }, inspected), parts.next(made)])).toBe(start);
  });

  it('but not where nobody has asked the engine what the old one holds', () => {
    const wanted = desiredTenant(tenantSpec(ports), settings());
    const parts = cast(wanted);
    expect(plan(wanted, [parts.old({ inspected: undefined }), parts.next(made)])).toBe(
      'start successor acme_next',
    );
  });

  it('and of several, only those that are in the way are stopped', () => {
    const web = { ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' as const }] };
    const wanted = desiredTenant(
      tenantSpec({}, { containers: [containerSpec('a', web), containerSpec('b')] }),
      settings(),
    );
    const [first, second] = [cast(wanted, 0), cast(wanted, 1)];
    const olds = [first.old({}, { fixedPorts: ['8080/tcp'] }), second.old()];
    expect(plan(wanted, [...olds, first.next(made), second.next(made)])).toBe('stop acme.a');
    expect(plan(wanted, [...olds, first.next(), second.next(made)])).toBe('start successor acme.b_next');
  });
});

const job = { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } } as const;
const endedByItself = { state: 'exited', exitCode: 3 } as const;

describe('a successor that does not do', () => {
  const crashed = (over: Over = {}) => next({ ...endedByItself, ...over }, job);
  const said = 'The new container app exited with code 3. It was removed';

  it.each<[string, readonly ObservedContainer[], string]>([
    ['goes, and the old one never noticed', [old(), crashed()], `give up acme_next: ${said}`],
    [
      'is stopped first where the old one stands still for it',
      [old(ended, parked), next({ health: 'unhealthy' })],
      'stop acme_next; acme_next, the new app, fails its health check',
    ],
    [
      'stays until the old one runs again',
      [old(ended, parked), crashed()],
      'start old acme; acme_next, the new app, exited with code 3',
    ],
    [
      'is followed by the old one also where that had ended before',
      [old(ended, before), crashed()],
      'start old acme; acme_next, the new app, exited with code 3',
    ],
    [
      'is followed by nothing that its own policy leaves alone',
      [old(ended, { ...before, ...job }), crashed()],
      `give up acme_next: ${said}`,
    ],
    ['gives the old one its name back', [retired(), crashed()], 'rename acme_old acme'],
    [
      'but not to one that was succeeded for good',
      [retired(ended, before), crashed()],
      `give up acme_next: ${said}`,
    ],
    ['but not where that name serves', [old(), retired(), crashed()], `give up acme_next: ${said}`],
    [
      'for no fault of its own goes for now',
      [old(), next({ state: 'exited', exitCode: 143 })],
      'give up acme_next for now: The new container app exited with code 143. It was removed',
    ],
  ])('%s', (_what, observed, step) => {
    expect(plan(single, observed)).toBe(step);
  });

  const both = 'give up acme.a_next acme.b_next';

  it('takes the others of its attempt with it, and each reason is told', () => {
    const olds = [a.old(), b.old()];
    const failing = b.next(endedByItself, job);
    expect(plan(pair, [...olds, a.next(), failing])).toBe(
      `${both}: The new container b exited with code 3. It was removed`,
    );
    expect(plan(pair, [...olds, a.next({ ...endedByItself, exitCode: 4 }, job), failing])).toBe(
      `${both}: The new container a exited with code 4; the new container b exited with code 3. It was removed`,
    );
    expect(plan(pair, [a.old(ended, parked), b.old(), a.next(), failing])).toBe(
      'stop acme.a_next; acme.b_next, the new b, exited with code 3',
    );
  });

  it('by itself is told without what others did to its siblings', () => {
    const olds = [a.old(), b.old()];
    expect(plan(pair, [...olds, a.next({ state: 'paused' }), b.next(endedByItself, job)])).toBe(
      `${both}: The new container b exited with code 3. It was removed`,
    );
  });

  it('is told without those that were stopped for it', () => {
    const stopped = a.next({ state: 'exited', exitCode: 143 });
    const found = { 'landlord-tenant-acme.b_next': 'exited with code 3' };
    expect(plan(pair, [a.old(), b.old(), stopped, b.next(endedByItself)], found)).toBe(
      `${both}: The new container b exited with code 3. It was removed`,
    );
  });

  it('has the old one started that stopped since the first of the attempt was made', () => {
    const later = b.next(endedByItself, { createdMs: nowMs, ...job });
    expect(plan(pair, [a.old(ended, parked), b.old(), a.next(ended), later])).toMatch(/^start old acme\.a; /);
  });

  it('is given up also where the old one can not be started again', () => {
    const failed = { 'landlord-tenant-acme': 'could not be started: port is busy' };
    expect(plan(single, [old(ended, parked), crashed()], failed)).toBe(`give up acme_next: ${said}`);
  });
});

describe('a successor that keeps exiting', () => {
  const looping = (one: typeof a, ranMs: number) =>
    one.next({ state: 'restarting', exitCode: 1 }, { restartCount: 9, createdMs: nowMs - ranMs });
  const again = (ranMs: number) =>
    a.next({ exitCode: 1 }, { restartCount: 5, createdMs: nowMs - 90_000, startedMs: nowMs - ranMs });
  const up = (one: typeof a, ranMs: number, over: Over = {}) =>
    one.next(over, { createdMs: nowMs - ranMs, startedMs: nowMs - ranMs });
  const olds = [a.old(), b.old()];
  const waits = (ms: number, names = 'a') =>
    `wait ${ms}: Waiting until the new ${names} is known to run well`;
  const givenUp =
    'give up acme.a_next acme.b_next: ' +
    'The new container a exited with code 1 each time that the engine started it. It was removed';

  // 20 settling times of 3 s.
  it.each<[string, readonly ObservedContainer[], string]>([
    [
      'is waited for while its sibling comes up',
      [looping(a, 90_000), up(b, 90_000, { health: 'starting' })],
      waits(3_000, 'a, b'),
    ],
    ['is waited for a while once its sibling runs', [looping(a, 90_000), up(b, 40_000)], waits(10_000)],
    ['and no longer than that', [looping(a, 90_000), up(b, 59_000)], waits(3_000)],
    ['has failed then', [looping(a, 90_000), up(b, 60_000)], givenUp],
    ['but for one that runs again for the settling time', [again(3_000), up(b, 60_000)], waits(3_000)],
    ['and not for a shorter time', [again(2_999), up(b, 60_000)], givenUp],
    [
      'beside another such one has failed when both were made so long ago',
      [looping(a, 60_000), looping(b, 60_000)],
      givenUp.replace(
        '. It',
        '; the new container b exited with code 1 each time that the engine started it. It',
      ),
    ],
    ['and not before', [looping(a, 59_000), looping(b, 59_000)], waits(3_000, 'a, b')],
  ])('%s', (_what, successors, step) => {
    expect(plan(pair, [...olds, ...successors])).toBe(step);
  });

  it('is waited for while a sibling has not even been started', () => {
    expect(plan(pair, [...olds, looping(a, 90_000), b.next({ state: 'created' })])).toBe(
      'start successor acme.b_next',
    );
  });

  it('has failed at once where it has no siblings', () => {
    const crashing = { restartCount: 3, createdMs: nowMs - 2_000, startedMs: nowMs - 1_000 };
    expect(plan(single, [old(), next({ state: 'restarting', exitCode: 1 }, crashing)])).toMatch(
      /^give up acme_next: /,
    );
  });

  describe('beside a sibling that stays as it is', () => {
    const half = desiredTenant(
      tenantSpec({}, { containers: [containerSpec('a', { image: 'app:2' }), containerSpec('b')] }),
      settings(),
    );
    const [first, second] = [cast(half, 0), cast(half, 1)];
    const beside = (staying: ObservedContainer, failed: Faults = {}) =>
      plan(half, [first.old(), staying, looping(first, 90_000)], failed);

    it('is waited for while that has just been started', () => {
      expect(beside(second.serving({}, { startedMs: nowMs - 50_000 }))).toBe(waits(10_000));
    });

    it.each<[string, ObservedContainer, string]>([
      ['was stopped', second.serving(ended, { finishedMs: nowMs - 1_000 }), 'start serving acme.b'],
      ['was paused', second.serving({ state: 'paused' }), 'unpause acme.b'],
    ])('sees that run again first, where it %s', (_what, staying, step) => {
      expect(beside(staying)).toBe(step);
    });

    it.each<[string, ObservedContainer, Faults]>([
      [
        'is restarted again and again',
        second.serving({ state: 'restarting', exitCode: 1 }, { restartCount: 5 }),
        {},
      ],
      ['fails its health check', second.serving({ health: 'unhealthy' }), {}],
      ['can not be started', second.serving(ended), { 'landlord-tenant-acme.b': 'port is busy' }],
    ])('has not failed by itself where that %s', (_what, staying, failed) => {
      expect(beside(staying, failed)).toBe(
        'give up acme.a_next for now: The new container a exited with code 1 each time that the engine started it ' +
          'while b did not run well. It was removed',
      );
    });

    it('has failed where that has done what it was to do', () => {
      const jobs = desiredTenant(
        tenantSpec(
          { restart_policy: 'on-failure' },
          { containers: [containerSpec('a'), containerSpec('b')] },
        ),
        settings(),
      );
      const [one, other] = [cast(jobs, 0), cast(jobs, 1)];
      const done = other.serving({ state: 'exited', exitCode: 0 });
      expect(plan(jobs, [one.old(), done, looping(one, 90_000)])).toMatch(/^give up acme.a_next: /);
    });
  });
});

describe('a successor of a spec that is no longer wanted', () => {
  it.each<[string, readonly ObservedContainer[], string]>([
    ['is marked first', [old(), staleNext()], 'rename acme_next acme_drop'],
    [
      'is marked also where the serving one is as desired',
      [serving(), staleNext()],
      'rename acme_next acme_drop',
    ],
    ['goes', [old(), dropped()], 'remove acme_drop'],
    ['goes before the next attempt is looked at', [old(), dropped(ended), staleNext()], 'remove acme_drop'],
    [
      'is stopped first where the old one stands still for it',
      [old(ended, parked), dropped()],
      'stop acme_drop',
    ],
    ['stays until the old one runs again', [old(ended, parked), dropped(ended)], 'start old acme'],
    ['goes where the old one had ended by itself', [old(ended, before), dropped()], 'remove acme_drop'],
    [
      'goes where nobody knows when it was made',
      [old(ended, parked), dropped({ inspected: undefined })],
      'remove acme_drop',
    ],
    ['gives the old one its name back', [retired(), dropped(ended)], 'rename acme_old acme'],
    ['is not started again itself', [old(), dropped(ended, parked)], 'remove acme_drop'],
    [
      'nor is the next one that is not wanted',
      [old(), dropped(ended), staleNext({ ...ended, inspected: next({}, parked).inspected })],
      'remove acme_drop',
    ],
  ])('%s', (_what, observed, step) => {
    expect(plan(single, observed)).toBe(step);
  });

  it('takes the others of its attempt with it', () => {
    const olds = [a.old(), b.old()];
    expect(plan(pair, [...olds, a.next(), b.staleNext()])).toBe('rename acme.a_next acme.a_drop');
    expect(plan(pair, [...olds, a.dropped(), b.staleNext()])).toBe('rename acme.b_next acme.b_drop');
    expect(plan(pair, [...olds, a.dropped(), b.dropped()])).toBe('remove acme.a_drop acme.b_drop');
  });
});

describe('told to keep what there was', () => {
  it.each<[string, readonly ObservedContainer[], string]>([
    ['what runs is left alone', [old()], 'nothing'],
    ['what ended is started', [old(ended)], 'start old acme'],
    ['what is paused is unpaused', [old({ state: 'paused' })], 'unpause acme'],
    [
      'what its own restart policy leaves alone is left alone',
      [old(ended, { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } })],
      'nothing',
    ],
    ['a successor is marked', [old(), next()], 'rename acme_next acme_drop'],
    ['what is marked goes', [old(), dropped()], 'remove acme_drop'],
    ['the old one runs again before', [old(ended, parked), dropped(ended)], 'start old acme'],
    ['one that gave its name away gets it back', [retired()], 'rename acme_old acme'],
    ['a successor is marked before that', [retired(), next()], 'rename acme_next acme_drop'],
    ['one whose successor serves is stopped', [serving(), retired()], 'stop acme_old'],
    ['and removed', [serving(), retired(ended)], 'remove acme_old'],
    ['a successor that is alone is what there was', [next()], 'rename acme_next acme'],
    ['but not one that never ran', [next(made)], 'rename acme_next acme_drop'],
    ['nothing is made', [], 'nothing'],
  ])('%s', (_what, observed, step) => {
    expect(hold(observed)).toBe(step);
  });

  it('one that can not be started holds up none of the others', () => {
    const failed = { 'landlord-tenant-acme.a': 'no' };
    expect(hold([a.old(ended), b.old(ended)], failed)).toBe('start old acme.b');
    expect(hold([a.old(ended), b.old({ state: 'paused' })], failed)).toBe('unpause acme.b');
    expect(hold([a.old(ended), b.old()], failed)).toBe('nothing');
  });

  it('a container of another name has nothing to do with it', () => {
    const other = observedContainer({ name: 'landlord-tenant-acme.b_old' });
    expect(hold([a.old(), other])).toBe('rename acme.b_old acme.b');
  });
});
