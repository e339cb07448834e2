import { describe, expect, it } from 'vitest';
import type { ComputeStatusBlock } from '../../../../../src/api/status.ts';
import {
  droppedName,
  nextName,
  oldName,
} from '../../../../../src/compute/providers/docker/state/container-name.ts';
import { changesOf, compareTenant } from '../../../../../src/compute/providers/docker/state/diff.ts';
import { oldRepair, repairOf } from '../../../../../src/compute/providers/docker/state/plan/repair.ts';
import type { Repair } from '../../../../../src/compute/providers/docker/state/plan/repair.ts';
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type { DesiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type {
  LiveSettings,
  RestartPolicy,
} from '../../../../../src/compute/providers/docker/state/live-settings.ts';
import type {
  ContainerState,
  ObservedContainer,
} from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { readConfinement } from '../../../../../src/compute/providers/docker/state/confinement/confinement.ts';
import { describeLive } from '../../../../../src/compute/providers/docker/state/live-settings.ts';
import { containerSpec, settings, tenantSpec } from '../docker-fixture.ts';
import { asDesired, observedContainer, outdated } from '../observed-fixture.ts';

const single = desiredTenant(tenantSpec(), settings());
const limited = desiredTenant(
  tenantSpec({ resources: { cpu: '500m', memory: '64Mi' }, restart_policy: 'always' }),
  settings(),
);
const pair = desiredTenant(
  tenantSpec({}, { containers: [containerSpec('a'), containerSpec('b')] }),
  settings(),
);
function of(tenant: DesiredTenant, index = 0) {
  const container = tenant.containers[index];
  if (container === undefined) throw new Error('no container');
  return container;
}
const app = of(single);
const [a, b] = [of(pair, 0), of(pair, 1)];
const compared = (desired: DesiredTenant, ...observed: ObservedContainer[]) =>
  compareTenant(desired, observed);
const changes = (desired: DesiredTenant, ...observed: ObservedContainer[]) =>
  changesOf(compared(desired, ...observed)).map(
    ({ path, desired: to, actual, cause }) => `${path}: ${actual} → ${to} (${cause})`,
  );
const ended = { state: 'exited', exitCode: 1 } as const;

describe('a container needs no replacement', () => {
  const matches = (desired: DesiredTenant, observed: ObservedContainer) =>
    compared(desired, observed).containers[0]?.currentMatches;

  it('where its hash is the one of the cluster that made it', () => {
    expect(matches(single, asDesired(app))).toBe(true);
    expect(matches(single, outdated(app))).toBe(false);
    const { 'landlord.cluster': _made, ...nobodys } = app.labels;
    expect(matches(single, asDesired(app, { labels: nobodys }))).toBe(false);
    const { 'landlord.spec_hash': _hash, ...without } = app.labels;
    expect(matches(single, asDesired(app, { labels: without }))).toBe(false);
  });

  it('but for a limit that can not be taken away while it runs', () => {
    const live = app.live;
    const limits = (over: Partial<LiveSettings>) => asDesired(app, {}, { live: { ...live, ...over } });
    expect(matches(single, limits({ nanoCpus: 1 }))).toBe(false);
    expect(matches(single, limits({ memoryBytes: 1 }))).toBe(false);
    expect(matches(single, limits({ restartPolicy: 'no' }))).toBe(true);
    const other = asDesired(
      of(limited),
      {},
      { live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } },
    );
    expect(matches(limited, other)).toBe(true);
    expect(
      matches(
        limited,
        asDesired(
          of(limited),
          {},
          { live: { nanoCpus: 1, memoryBytes: 1, pidsLimit: 1024, restartPolicy: 'no' } },
        ),
      ),
    ).toBe(true);
  });

  it('and the same holds for its successor', () => {
    const name = nextName(app.engineName);
    const one = (next: ObservedContainer) => compared(single, next).containers[0];
    expect(one(asDesired(app, { name }))).toMatchObject({ current: undefined, nextMatches: true });
    expect(one(outdated(app, { name }))).toMatchObject({ current: undefined, nextMatches: false });
    expect(one(asDesired(app))).toMatchObject({ next: undefined, nextMatches: false });
  });
});

/** As an earlier version made it, of the same spec. */
function unconfined(
  desired: DesiredTenant,
  over: Partial<ObservedContainer> = {},
  policy: RestartPolicy = 'unless-stopped',
): ObservedContainer {
  const { labels, earlierHashes } = of(desired);
  const specHash = earlierHashes.get('cluster-1')?.now ?? '';
  return asDesired(
    of(desired),
    { labels: { ...labels, 'landlord.spec_hash': specHash, 'landlord.live': `0/0/${policy}` }, ...over },
    {
      live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 0, restartPolicy: policy },
      confinement: readConfinement({ SecurityOpt: ['no-new-privileges'], Init: true }),
    },
  );
}

describe('a container of the time before containers were confined', () => {
  it('is replaced where it runs, and the first thing that differs is named', () => {
    const found = compared(single, unconfined(single));
    expect(found.containers[0]?.currentMatches).toBe(false);
    expect(changesOf(found)).toEqual([
      {
        path: 'containers.app.capabilities',
        desired: expect.stringMatching(/^CHOWN .*SYS_CHROOT$/) as string,
        actual: 'as the engine has it',
        cause: 'spec',
        effect: 'replace',
      },
    ]);
  });

  it.each<[RestartPolicy, number, boolean]>([
    ['no', 0, true],
    ['no', 3, true],
    ['on-failure', 0, true],
    ['on-failure', 3, false],
    ['unless-stopped', 0, false],
  ])('under the policy %s and ended with code %i, needs no replacement: %s', (policy, exitCode, isLeft) => {
    const job = desiredTenant(tenantSpec({ restart_policy: policy }), settings());
    const one = unconfined(job, { state: 'exited', exitCode }, policy);
    expect(compared(job, one).containers[0]?.currentMatches).toBe(isLeft);
  });

  it.each<[RestartPolicy, boolean]>([
    ['no', true],
    ['on-failure', true],
    ['always', false],
    ['unless-stopped', false],
  ])('that ran to its end and was pruned, is one for good under the policy %s: %s', (policy, isDone) => {
    const completed = of(single).earlierHashes.get('cluster-1')?.now ?? '';
    const before = { containers: [{ name: 'app', completed }] } as unknown as ComputeStatusBlock;
    const spec = tenantSpec({ restart_policy: policy }, { before });
    expect(of(desiredTenant(spec, settings())).isDone).toBe(isDone);
  });
});

describe('a limit that nobody desires', () => {
  const limitedBy = (policy: RestartPolicy, observed: Partial<ObservedContainer>) => {
    const job = desiredTenant(tenantSpec({ restart_policy: policy }), settings());
    const live = { ...of(job).live, memoryBytes: 33_554_432 };
    return changes(job, asDesired(of(job), observed, { live }));
  };
  const replaced = ['containers.app.resources.memory: 33554432 → none (drift)'];

  it.each<[RestartPolicy]>([['no'], ['on-failure']])(
    'has a job under the policy %s run anew, unless it has completed',
    (policy) => {
      expect(limitedBy(policy, { state: 'exited', exitCode: 0 })).toEqual([]);
      expect(limitedBy(policy, { state: 'exited', exitCode: 3 })).toEqual(expect.arrayContaining(replaced));
      expect(limitedBy(policy, {})).toEqual(replaced);
    },
  );

  it('has a service made anew, however it has ended', () => {
    const ended = limitedBy('unless-stopped', { state: 'exited', exitCode: 0 });
    expect(ended).toEqual(expect.arrayContaining(replaced));
  });
});

describe('what is changed while it runs', () => {
  const { live } = of(limited);
  it.each<[string, Partial<LiveSettings>, boolean, readonly string[]]>([
    ['nothing', {}, false, []],
    ['cpu', { nanoCpus: 1e9 }, true, ['containers.app.resources.cpu: 1 → 0.5 (drift)']],
    ['cpu', { nanoCpus: 0 }, true, ['containers.app.resources.cpu: none → 0.5 (drift)']],
    ['memory', { memoryBytes: 1e6 }, true, ['containers.app.resources.memory: 1000000 → 67108864 (drift)']],
    ['memory', { memoryBytes: 0 }, true, ['containers.app.resources.memory: none → 67108864 (drift)']],
    [
      'the restart policy',
      { restartPolicy: 'no' },
      true,
      ['containers.app.restartPolicy: no → always (drift)'],
    ],
  ])('%s %j', (_what, over, differs, expected) => {
    const one = asDesired(of(limited), {}, { live: { ...live, ...over } });
    expect(compared(limited, one).containers[0]?.liveDiffers).toBe(differs);
    expect(changes(limited, one)).toEqual(expected);
  });

  it('is the spec to be followed where the container was made with other settings', () => {
    const labels = { ...of(limited).labels, 'landlord.live': '0/0/always/1024' };
    const one = asDesired(of(limited), { labels }, { live: { ...live, nanoCpus: 0, memoryBytes: 0 } });
    expect(changes(limited, one)).toEqual([
      'containers.app.resources.cpu: none → 0.5 (spec)',
      'containers.app.resources.memory: none → 67108864 (spec)',
    ]);
  });

  it('is drift where it is neither as made nor as desired: somebody has changed what was changed live before', () => {
    const labels = { ...of(limited).labels, 'landlord.live': '0/0/always/1024' };
    const one = asDesired(of(limited), { labels }, { live: { ...live, memoryBytes: 2 ** 27 } });
    expect(changes(limited, one)).toEqual(['containers.app.resources.memory: 134217728 → 67108864 (drift)']);
  });

  it.each([
    ['what is desired: then somebody has changed them', 'desired', 'drift'],
    ['something else: then what is desired is new', 'other', 'spec'],
  ])('that was last given %s', (_what, given, cause) => {
    const applied = given === 'desired' ? of(limited).labels['landlord.live'] : '0/134217728/always';
    const labels = { ...of(limited).labels, 'landlord.live': '0/0/always/1024' };
    const one = asDesired(
      of(limited),
      { labels, applied: applied ?? '' },
      { live: { ...live, memoryBytes: 2 ** 27 } },
    );
    expect(changes(limited, one)).toEqual([
      `containers.app.resources.memory: 134217728 → 67108864 (${cause})`,
    ]);
  });

  it('is not known of without an inspect, and no matter where the container must be replaced', () => {
    const other = { live: { ...live, nanoCpus: 1 } };
    expect(
      compared(limited, asDesired(of(limited), { inspected: undefined })).containers[0]?.liveDiffers,
    ).toBe(false);
    expect(compared(limited, outdated(of(limited), {}, other)).containers[0]?.liveDiffers).toBe(false);
  });
});

describe('a limit that is no longer wanted takes a replacement, and is told as such', () => {
  it.each<[string, Partial<LiveSettings>, string]>([
    ['cpu', { nanoCpus: 5e8 }, 'containers.app.resources.cpu: 0.5 → none'],
    ['memory', { memoryBytes: 1e6 }, 'containers.app.resources.memory: 1000000 → none'],
  ])('%s', (_what, over, expected) => {
    const live = { ...app.live, ...over };
    expect(changes(single, asDesired(app, {}, { live }))).toEqual([`${expected} (drift)`]);
    const labels = { ...app.labels, 'landlord.live': describeLive(live) };
    expect(changes(single, asDesired(app, { labels }, { live }))).toEqual([`${expected} (spec)`]);
    expect(changes(single, outdated(app, {}, { live }))[0]).toMatch(/^containers\.app\.spec/);
  });
});

describe('a container of another spec', () => {
  const hash = app.labels['landlord.spec_hash'];
  const other = `containers.app.spec: v1:0 → ${hash} (spec)`;
  it.each<[string, ObservedContainer, readonly string[]]>([
    [
      'is told by its image',
      outdated(app, {}, { image: 'app:0' }),
      ['containers.app.image: app:0 → app:1 (spec)'],
    ],
    [
      'which its label has, whatever the engine calls it',
      outdated(
        app,
        { image: 'app:0', labels: { ...outdated(app).labels, 'landlord.image': 'app:0' } },
        { image: 'sha256:0' },
      ),
      ['containers.app.image: app:0 → app:1 (spec)'],
    ],
    [
      'by the image of the list where it was not inspected',
      outdated(app, { inspected: undefined, image: 'app:0' }),
      ['containers.app.image: app:0 → app:1 (spec)'],
    ],
    ['by its hash where the image is the same', outdated(app), [other]],
    [
      'by its hash where the engine has lost the name of the image',
      outdated(app, {}, { image: 'sha256:0' }),
      [other],
    ],
    [
      'by having none',
      outdated(app, { labels: { 'landlord.cluster': 'cluster-1' } }),
      [`containers.app.spec: none → ${hash} (spec)`],
    ],
    [
      'by a hash that is not known',
      outdated(app, { labels: { 'landlord.spec_hash': 'v1:0' } }),
      ['containers.app.spec: v1:0 → none (spec)'],
    ],
    [
      'that stopped is drift besides',
      outdated(app, ended),
      [other, 'containers.app.state: exited (1) → running (drift)'],
    ],
  ])('%s', (_what, one, expected) => {
    expect(changes(single, one)).toEqual(expected);
  });

  it('that stands still for its successor is none', () => {
    const next = asDesired(app, { name: nextName(app.engineName) });
    expect(changes(single, outdated(app, ended), next)).toEqual([other]);
  });
});

describe('what is missing', () => {
  it('is drift where the rest is as desired, and what the spec added where it is not', () => {
    expect(changes(pair, asDesired(a))).toEqual(['containers.b: absent → present (drift)']);
    expect(changes(pair)).toEqual([
      'containers.a: absent → present (drift)',
      'containers.b: absent → present (drift)',
    ]);
    expect(changes(pair, outdated(a))[1]).toBe('containers.b: absent → present (spec)');
    expect(changes(pair, asDesired(a), observedContainer({ name: 'other' }))).toEqual([
      'containers.b: absent → present (spec)',
      'containers.other: running → absent (spec)',
    ]);
  });

  it('is drift beside one to which somebody has given a limit that only a new one can do without', () => {
    const limit = { live: { ...a.live, memoryBytes: 2 ** 25 } };
    expect(changes(pair, asDesired(a, {}, limit))[1]).toBe('containers.b: absent → present (drift)');
  });

  it('is on its way where a successor is there', () => {
    const next = asDesired(app, { name: nextName(app.engineName), state: 'created' });
    expect(changes(single, next)).toEqual([
      `containers.app: created as ${app.engineName}_next → present (spec)`,
    ]);
  });

  it('is no matter of a successor that is too much', () => {
    const next = asDesired(app, { name: nextName(app.engineName) });
    expect(changes(single, asDesired(app), next)).toEqual(['containers.app.next: running → absent (spec)']);
    expect(compared(single, asDesired(app), next).obsolete).toEqual([]);
  });
});

describe('a stopped container', () => {
  const states: readonly [ContainerState, Repair][] = [
    ['running', 'none'],
    ['restarting', 'none'],
    ['created', 'start'],
    ['paused', 'unpause'],
    ['removing', 'wait'],
    ['dead', 'remove'],
  ];
  it.each(states)('that is %s needs: %s', (state, repair) => {
    for (const policy of ['no', 'on-failure', 'always', 'unless-stopped'] as const) {
      expect(repairOf(observedContainer({ name: 'x', state }), policy)).toBe(repair);
    }
  });

  it.each<[RestartPolicy, number, Repair]>([
    ['no', 0, 'none'],
    ['no', 1, 'none'],
    ['on-failure', 0, 'none'],
    ['on-failure', 1, 'start'],
    ['always', 0, 'start'],
    ['always', 1, 'start'],
    ['unless-stopped', 0, 'start'],
  ])('under %s that exited with %i needs: %s', (policy, exitCode, repair) => {
    const one = observedContainer({ name: 'x', state: 'exited', exitCode });
    expect(repairOf(one, policy)).toBe(repair);
  });

  it('of an earlier spec is mended under the policy that it has, or was made with, itself', () => {
    const live = { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } as const;
    const labels = { 'landlord.live': '0/0/no' };
    const other = { 'landlord.live': '0/0/always/1024' };
    const old = (over: Partial<ObservedContainer>, inspected = {}) =>
      oldRepair(observedContainer({ name: 'x', ...ended, ...over }, inspected));
    expect(old({ labels: other }, { live })).toBe('none');
    expect(old({ labels, inspected: undefined })).toBe('none');
    expect(old({ labels: other, inspected: undefined })).toBe('start');
    expect(old({ inspected: undefined })).toBe('start');
  });

  it('is mended where it is as desired, and not by a repair where it is not', () => {
    expect(compared(single, asDesired(app, ended)).containers[0]?.repair).toBe('start');
    expect(compared(single, outdated(app, ended)).containers[0]?.repair).toBe('none');
    expect(changes(single, asDesired(app, { state: 'exited' }))).toEqual([
      'containers.app.state: exited → running (drift)',
    ]);
  });
});

it('what the spec does not name any more has stopped, too, as long as nothing is there to take over', () => {
  const old = observedContainer({ name: app.engineName, state: 'exited', exitCode: 137 });
  const stopped = (...observed: ObservedContainer[]) =>
    changesOf(compared(pair, ...observed)).filter(({ cause }) => cause === 'drift');
  const path = `containers.${app.engineName}.state`;
  expect(stopped(old)).toMatchObject([{ path, desired: 'running', actual: 'exited (137)' }]);
  expect(stopped(old, asDesired(a, { name: nextName(a.engineName) }))).toEqual([]);
  expect(stopped({ ...old, name: oldName(app.engineName) })).toEqual([]);
});

it('what the spec does not name is obsolete, whatever part it has', () => {
  const obsolete = (...observed: ObservedContainer[]) =>
    compared(pair, ...observed).obsolete.map(({ name }) => name);
  const others = [oldName(a.engineName), droppedName(a.engineName), app.engineName];
  expect(
    obsolete(
      asDesired(a),
      asDesired(b, { name: nextName(b.engineName) }),
      ...others.map((name) => observedContainer({ name })),
    ),
  ).toEqual(others);
});

describe('what has to be stopped first is a gap, whichever of the new containers it stands in the way of', () => {
  const published = containerSpec('a', {
    ports: [{ name: 'web', containerPort: 80, hostPort: 18_080, protocol: 'TCP' }],
  });
  const wanted = desiredTenant(tenantSpec({}, { containers: [published, containerSpec('b')] }), settings());
  const holding = { fixedPorts: ['18080/tcp'] };
  const effects = (...observed: ObservedContainer[]) =>
    changesOf(compared(wanted, ...observed)).map(({ path, effect }) => `${path} ${effect}`);

  it.each<[what: string, old: ObservedContainer, path: string]>([
    [
      'one that the spec does not name any more',
      observedContainer({ name: app.engineName }, holding),
      `containers.${app.engineName}`,
    ],
    ['another one of the tenant', outdated(of(wanted, 1), {}, holding), 'containers.b.spec'],
    ['the one before it', outdated(of(wanted), {}, holding), 'containers.a.spec'],
  ])('%s', (_what, old, path) => {
    expect(effects(old)).toContain(`${path} gap`);
  });

  it('and none where the new one runs already', () => {
    const old = observedContainer({ name: oldName(of(wanted).engineName) }, holding);
    expect(effects(asDesired(of(wanted)), asDesired(of(wanted, 1)), old)).toEqual([
      `containers.${old.name} replace`,
    ]);
  });
});
