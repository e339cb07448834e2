import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from 'fast-check';
import { expect, it } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import type { DestroyResult, StepResult } from '../../../../src/compute/provider.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { deaths, dyingProcess, onlyDeath, walks } from '../../dying-process.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import type { DrivenDocker } from './docker-fixture.ts';
import { memoryEngine, resolve, writeOf } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const sharedName = 'tenants';

/** Each tenant in a network of its own, or those with one container in one that they share. */
const build = (engine: Engine, isShared = false): DrivenDocker =>
  drivenDocker(engine, settings(isShared ? { network_name: sharedName } : {}));
const signal = new AbortController().signal;

const images = ['app:1', 'app:2', 'crash:1', 'bad-command:1'];
const one = tenantSpec({ volumes: ['data:/data'] });
const fixedPort = tenantSpec({ image: 'app:2', ports: [{ container_port: 80, host_port: 8080 }] });
const fixedPortAgain = tenantSpec({ ports: [{ container_port: 80, host_port: 8080 }], env: { A: '1' } });
const several = tenantSpec(
  {},
  {
    containers: [
      containerSpec('app', { volumeMounts: [{ name: 'tls', mountPath: '/tls' }] }),
      containerSpec('next', { image: 'app:2' }),
    ],
    volumes: [
      {
        name: 'tls',
        kind: 'files',
        from: 'Secret tls',
        files: [{ path: 'key', mode: 0o400, content: 'AAAA' }],
      },
    ],
  },
);
const otherSeveral = tenantSpec(
  {},
  { containers: [containerSpec('app', { image: 'app:2' }), containerSpec('db')] },
);
const replicated = tenantSpec(
  {},
  { containers: [containerSpec('app', { image: 'app:2' }), containerSpec('db')], replicas: 2 },
);
/** The last one is in the network namespace of the first, which has a port of the host. */
const joinedWith = (app: string, side: string) => ({
  ...tenantSpec(
    { containers: { side: { network_mode: 'service:app' } } },
    {
      containers: [
        containerSpec('app', {
          image: app,
          ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
        }),
        containerSpec('side', { image: side }),
      ],
    },
  ),
});
const joined = joinedWith('app:1', 'app:1');
const otherJoined = joinedWith('app:2', 'app:1');
const joinedCrashing = joinedWith('crash:1', 'app:2');
const crashing = tenantSpec({ image: 'crash:1', ports: [{ container_port: 80, host_port: 8080 }] });
const halfCrashing = tenantSpec(
  {},
  { containers: [containerSpec('app', { image: 'app:2' }), containerSpec('next', { image: 'crash:1' })] },
);
const unstartable = tenantSpec({ image: 'bad-command:1' });
const job = tenantSpec({ restart_policy: 'no', ports: [{ container_port: 80, host_port: 8080 }] });
const good = { one, fixedPort, fixedPortAgain, several, otherSeveral, replicated, job, joined, otherJoined };
const bad = { crashing, halfCrashing, unstartable, joinedCrashing };

type Outcome = StepResult['outcome'] | DestroyResult['outcome'];

/** Where nothing that can run was there before, or what runs was stopped in between, a rollout may fail for now. */
function deathOrFailure(error: unknown): unknown {
  const isFailure = error instanceof ComputeError && error.code === 'UpdateFailed';
  return isFailure ? undefined : onlyDeath(error);
}

/** As the controller does: calls until nothing is left to do. */
async function untilDone(step: () => Promise<{ outcome: Outcome }>): Promise<Outcome> {
  for (let calls = 0; calls < 50; calls += 1) {
    const { outcome } = await step();
    if (outcome !== 'in_progress') return outcome;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('no end after 50 calls');
}

function running(engine: MemoryEngine): Record<string, string> {
  return Object.fromEntries(
    [...engine.containers.values()].map(({ name, state, body }) => [
      name,
      `${state} ${body.Image} ${body.Env?.join() ?? ''}`,
    ]),
  );
}

function expected(spec: TenantComputeSpec<DockerConfig>): Record<string, string> {
  const { image, env = {} } = spec.config;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (spec.containers.length === 0) return { 'landlord-tenant-acme': `running ${image} ${variables.join()}` };
  return Object.fromEntries(
    replicasOf(spec).flatMap((suffix) =>
      spec.containers.map(({ name, image }) => [
        `landlord-tenant-acme.${name}${suffix}`,
        `running ${image} `,
      ]),
    ),
  );
}

/** What the names of each end in. */
function replicasOf({ replicas = 1 }: TenantComputeSpec<DockerConfig>): readonly string[] {
  return Array.from({ length: replicas }, (_, index) => (index === 0 ? '' : `_${index + 1}`));
}

/** All are in the network of their replica. Each of several containers is found there by its name, and nothing else is. */
function expectNetwork(engine: MemoryEngine, spec: TenantComputeSpec<DockerConfig>): void {
  const own = [...engine.networks.values()].filter(({ Name }) => Name !== sharedName);
  const suffixes = replicasOf(spec);
  expect(own.map(({ Name }) => Name).toSorted()).toEqual(suffixes.map((suffix) => `landlord-acme${suffix}`));
  const inAnothers = new Set(Object.keys(spec.config.containers ?? {}));
  const holder = `container:${idOf(engine, 'app')}`;
  for (const { endpoints, name, hostConfig } of engine.containers.values()) {
    const own = `landlord-acme${/_\d+$/.exec(name)?.[0] ?? ''}`;
    const isJoined = inAnothers.has(name.replace(/^.*\./, ''));
    const place = [hostConfig.NetworkMode === holder, ...endpoints.keys()];
    expect(place).toEqual(isJoined ? [true] : [false, own]);
  }
  const { containers } = spec;
  if (containers.length < 2) return;
  for (const suffix of suffixes) {
    for (const { name } of containers.filter((one) => !inAnothers.has(one.name)))
      expect(resolve(engine, `landlord-acme${suffix}`, name)).toEqual([
        `landlord-tenant-acme.${name}${suffix}`,
      ]);
  }
}

function idOf({ containers }: MemoryEngine, container: string): string | undefined {
  return [...containers.values()].find(({ name }) => name === `landlord-tenant-acme.${container}`)?.id;
}

/** One that was made for a replica whose containers never were stays until the tenant is scaled again, or goes. */
function removeUnusedOfReplicas(engine: MemoryEngine, spec: TenantComputeSpec<DockerConfig>): void {
  if (spec.replicas !== undefined) return;
  for (const [id, { Name }] of engine.networks) if (Name.endsWith('_2')) engine.networks.delete(id);
}

/** What mounts files has them, and no other volume of files is left. */
function expectFiles(engine: MemoryEngine, { volumes = [] }: TenantComputeSpec<DockerConfig>): void {
  if (volumes.length === 0) return;
  const mounted = [...engine.containers.values()].flatMap(({ hostConfig: { Binds = [] } }) =>
    Binds.filter((bind) => bind.endsWith(':ro,nocopy')).map((bind) => bind.split(':')[0]),
  );
  expect(mounted).toHaveLength(volumes.length);
  expect([...engine.filled.keys()]).toEqual(mounted);
  expect([...engine.volumes.keys()].filter((name) => name.includes('_.files.'))).toEqual(mounted);
}

const goodNames = Object.keys(good) as (keyof typeof good)[];
const badNames = Object.keys(bad) as (keyof typeof bad)[];

async function startedFrom(name: keyof typeof good | 'nothing'): Promise<MemoryEngine> {
  const engine = memoryEngine(images);
  if (name !== 'nothing') await untilDone(() => build(engine).provision(good[name], signal));
  return engine;
}

/** Runs `act` once for each of its deaths, and then to its end by a new process. Returns how many writes there are. */
async function walk(
  from: keyof typeof good | 'nothing',
  act: (provider: DrivenDocker) => Promise<Outcome>,
  check: (engine: MemoryEngine, outcome: Outcome) => Promise<void>,
  actAfter = act,
): Promise<number> {
  for (const death of deaths()) {
    const engine = await startedFrom(from);
    const mortal = dyingProcess(death);
    await act(build(mortal.seeing(engine, writeOf))).catch(onlyDeath);
    const outcome = await actAfter(build(engine)).catch((error: unknown) => {
      // What the dead one stopped ended by no fault of its own: the rollout is made again.
      deathOrFailure(error);
      return actAfter(build(engine));
    });
    await check(engine, outcome);
    if (!mortal.hasDied()) return mortal.writes.length;
  }
  return 0;
}

it.each(goodNames.flatMap((to) => (['nothing', ...goodNames] as const).map((from) => ({ from, to }))))(
  'from $from to $to: killed at any write, the next process ends with exactly what is desired',
  async ({ from, to }) => {
    const spec = good[to];
    const points = await walk(
      from,
      (provider) => untilDone(() => provider.update(spec, signal)),
      async (engine, outcome) => {
        expect(outcome).toBe('done');
        expect(running(engine)).toEqual(expected(spec));
        expectNetwork(engine, spec);
        expectFiles(engine, spec);
        const status = await build(engine).getStatus(spec, { fresh: false, signal });
        expect(status.changes).toEqual([]);
      },
    );
    expect(points).toBeGreaterThanOrEqual(from === to ? 0 : 2);
  },
);

it.each(badNames.flatMap((to) => goodNames.map((from) => ({ from, to }))))(
  'from $from to $to: killed at any write, what ran before runs in the end, and nothing else is left',
  async ({ from, to }) => {
    const points = await walk(
      from,
      (provider) => untilDone(() => provider.update(bad[to], signal)),
      async (engine, outcome) => {
        expect(outcome).toBe('rolled_back');
        expect(running(engine)).toEqual(expected(good[from]));
        expectNetwork(engine, good[from]);
      },
    );
    expect(points).toBeGreaterThan(2);
  },
);

it.each(badNames.flatMap((to) => goodNames.map((from) => ({ from, to }))))(
  'from $from to $to: told to keep what there was, a process that finds the attempt half-done drops it',
  async ({ from, to }) => {
    const points = await walk(
      from,
      (provider) => untilDone(() => provider.update(bad[to], signal)),
      async (engine, outcome) => {
        expect(outcome).toBe('done');
        expect(running(engine)).toEqual(expected(good[from]));
        expectNetwork(engine, good[from]);
      },
      (provider) => untilDone(() => provider.hold(bad[to], signal)),
    );
    expect(points).toBeGreaterThan(2);
  },
);

it.each(goodNames)('destroying %s: killed at any write, the next process leaves nothing', async (from) => {
  const points = await walk(
    from,
    (provider) => untilDone(() => provider.destroy(good[from], signal)),
    async (engine, outcome) => {
      expect(outcome).toBe('gone');
      expect(engine.containers.size + engine.volumes.size + engine.networks.size).toBe(0);
    },
  );
  expect(points).toBeGreaterThanOrEqual(2);
});

/** The second rollout dies between the two names that it hands over; the third keeps one of its containers, and fails. */
const interrupted = [
  { to: 'several', write: 4, when: 'after', isShared: false } as const,
  { to: 'otherSeveral', write: 7, when: 'after', isShared: false } as const,
  { to: 'halfCrashing', write: 6, when: 'before', isShared: false } as const,
];

/** The second rollout dies when the container with the port has taken over from the job, and its sibling has not. */
const halfTakenOver = [
  { to: 'job', write: 3, when: 'after', isShared: false } as const,
  { to: 'otherJoined', write: 6, when: 'after', isShared: false } as const,
];

/** And here the sibling has taken its name, too, but what they have succeeded does not bear its old name yet. */
const takenOver = [
  { to: 'job', write: 3, when: 'after', isShared: false } as const,
  { to: 'otherJoined', write: 7, when: 'after', isShared: false } as const,
];

/** The third rollout dies when the network of what it has succeeded is gone and that is not; the last one would start it again. */
const withoutNetwork = [
  { to: 'job', write: 3, when: 'after', isShared: false } as const,
  { to: 'one', write: 6, when: 'after', isShared: true } as const,
  { to: 'job', write: 5, when: 'before', isShared: true } as const,
  { to: 'one', write: 1, when: 'before', isShared: false } as const,
];

it('a walk over any specs with deaths at any writes ends where its last spec points', async () => {
  // Where nothing was there before, what is to be in the namespace of one that crashes waits for that without an end.
  const ending = badNames.filter((name) => name !== 'joinedCrashing');
  const journeys = array(
    record({
      to: constantFrom(...goodNames, ...ending),
      write: integer({ min: 1, max: 12 }),
      when: constantFrom('before', 'after'),
      isShared: boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await assert(
    asyncProperty(journeys, constantFrom(...goodNames), async (journey, end) => {
      const engine = memoryEngine(images);
      for (const { to, write, when, isShared } of journey) {
        const mortal = build(dyingProcess({ write, when }).seeing(engine, writeOf), isShared);
        const spec = { ...good, ...bad }[to];
        await untilDone(() => mortal.update(spec, signal)).catch(deathOrFailure);
      }
      const update = async () => untilDone(() => build(engine).update(good[end], signal));
      await update().catch(async (error: unknown) => {
        // What holds the port of one that stands still may be on its way out: the next try has it.
        deathOrFailure(error);
        return update();
      });
      expect(running(engine)).toEqual(expected(good[end]));
      removeUnusedOfReplicas(engine, good[end]);
      expectNetwork(engine, good[end]);
      expectFiles(engine, good[end]);
    }),
    {
      numRuns: walks,
      examples: [
        [interrupted, 'one'],
        [withoutNetwork, 'one'],
        [halfTakenOver, 'job'],
        [takenOver, 'job'],
      ],
    },
  );
});
