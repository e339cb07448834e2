import { describe, expect, it } from 'vitest';
import type { ReleaseSpec } from '../../../../src/api/container/release-fields.ts';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import type { ContainerSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { deaths, dyingProcess, onlyDeath } from '../../dying-process.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, writeOf } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const prefix = 'landlord-tenant-acme';
const look = { fresh: true, signal };

const migrate: ReleaseSpec = { container: 'app', args: ['migrate'] };
const app = (image: string, over: Partial<ContainerSpec> = {}) => containerSpec('app', { image, ...over });

/** Names as short as they can be told: `app_next`, `app.release`. */
function shortName(name: string): string {
  return name === prefix ? 'app' : name.replace(`${prefix}_`, 'app_').replace(`${prefix}.`, '');
}

function bench(images: readonly string[] = ['app:1', 'app:2', 'app:3', 'db:1']) {
  const engine = memoryEngine(images);
  const runs: string[] = [];
  const watched: MemoryEngine = {
    ...engine,
    async startContainer(id, abort) {
      const { name = '', body } = engine.containers.get(id) ?? {};
      runs.push(`${shortName(name)} ${body?.Image}`);
      return engine.startContainer(id, abort);
    },
  };
  const find = (name: string) => [...engine.containers.values()].find((one) => shortName(one.name) === name);
  const end = (name: string, exitCode: number, afterMs = 0) => {
    const container = find(name);
    if (container === undefined) throw new Error(`no container ${name}`);
    const finishedMs = container.startedMs + afterMs;
    Object.assign(container, { state: 'exited', exitCode, finishedMs });
  };
  return {
    engine,
    watched,
    runs,
    find,
    end,
    provider: drivenDocker(watched, settings()),
    spec: (containers: readonly ContainerSpec[], release: ReleaseSpec | undefined = migrate, more = {}) =>
      tenantSpec({}, { containers, ...(release === undefined ? {} : { release }), ...more }),
    states: () =>
      Object.fromEntries([...engine.containers.values()].map((one) => [shortName(one.name), one.state])),
  };
}

/** A tenant that serves its first image, whose release is done. */
async function served(given: ReturnType<typeof bench>, containers = [app('app:1')]) {
  const { provider, spec, end } = given;
  await provider.provision(spec(containers), signal);
  end('app.release', 0);
  await provider.update(spec(containers), signal);
}

describe('a release', () => {
  it('is run to its end before anything else is started, and once', async () => {
    const { provider, spec, end, states, runs } = bench();
    const wanted = spec([app('app:1')]);
    const waiting = { outcome: 'in_progress', message: 'Waiting until the release command of app has ended' };
    expect(await provider.provision(wanted, signal)).toMatchObject(waiting);
    expect(states()).toEqual({ app: 'created', 'app.release': 'running' });
    const seen = await provider.getStatus(wanted, look);
    expect(seen.compute).toMatchObject({ running: 0, desired: 1 });
    expect(seen.changes).toContainEqual({
      path: 'release',
      desired: 'completed',
      actual: 'not completed',
      cause: 'spec',
      effect: 'live',
      // Nothing has served before: there is nothing to consent to.
      begins: true,
    });
    end('app.release', 0);
    expect(await provider.update(wanted, signal)).toMatchObject({ outcome: 'done' });
    expect(await provider.update(wanted, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect(runs).toEqual(['app.release app:1', 'app app:1']);
    const after = await provider.getStatus(wanted, look);
    expect(after).toMatchObject({ changes: [], compute: { running: 1, desired: 1, state: 'running' } });
  });

  it('has what its container has, but for what others find that by', async () => {
    const { provider, spec, find } = bench();
    const volumes = [{ name: 'data', kind: 'persistent' }] as const;
    const container = app('app:1', {
      command: ['/app'],
      args: ['serve'],
      env: [{ name: 'A', value: '1' }],
      ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      user: '1000',
      healthCheck: { command: ['/ok'] },
    });
    const config = { labels: { 'traefik.enable': 'true' } };
    const both = spec([container, containerSpec('db', { image: 'db:1' })], migrate, { volumes });
    await provider.provision({ ...both, config: { ...both.config, ...config } }, signal);
    const release = find('app.release')?.body;
    const like = find('app')?.body;
    expect(release).toMatchObject({
      Image: like?.Image,
      Env: ['A=1'],
      Entrypoint: ['/app'],
      Cmd: ['migrate'],
      User: '1000',
      ExposedPorts: {},
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Binds: like?.HostConfig?.Binds,
        NetworkMode: like?.HostConfig?.NetworkMode,
        PortBindings: {},
        RestartPolicy: { Name: 'no' },
      },
      NetworkingConfig: { EndpointsConfig: { 'landlord-acme': {} } },
    });
    expect(like?.Labels).toHaveProperty(['traefik.enable']);
    expect(release?.Labels).not.toHaveProperty(['traefik.enable']);
    expect(release?.Labels).toMatchObject({ 'landlord.container': 'app.release', 'landlord.release': '600' });
  });

  it('with an entrypoint of its own has none of the arguments of its container', async () => {
    const { provider, spec, find } = bench();
    const release = { container: 'app', command: ['/migrate'] };
    await provider.provision(spec([app('app:1', { args: ['serve'] })], release), signal);
    expect(find('app.release')?.body).toMatchObject({ Entrypoint: ['/migrate'] });
    expect(find('app.release')?.body.Cmd).toBeUndefined();
  });

  it('follows what its container waits for, and comes before all else', async () => {
    const { provider, spec, end, states, runs } = bench();
    const containers = [
      app('app:1', { dependsOn: [{ container: 'db' }] }),
      containerSpec('db', { image: 'db:1' }),
      containerSpec('worker', { image: 'app:1' }),
    ];
    await provider.provision(spec(containers), signal);
    await provider.update(spec(containers), signal);
    expect(runs).toEqual(['db db:1', 'app.release app:1']);
    end('app.release', 0);
    await provider.update(spec(containers), signal);
    expect(runs.slice(2)).toEqual(['app app:1', 'worker app:1']);
    expect(states()).toMatchObject({ app: 'running', db: 'running', worker: 'running' });
  });

  it('is run with the new image before a rollout, while the old one serves', async () => {
    const given = bench();
    const { provider, spec, end, states, runs, find } = given;
    await served(given);
    const next = spec([app('app:2')]);
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'in_progress' });
    expect(states()).toEqual({
      app: 'running',
      'app.release': 'exited',
      app_next: 'created',
      'app.release_next': 'running',
    });
    end('app.release_next', 0);
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect(find('app')?.body.Image).toBe('app:2');
    expect(runs.slice(2)).toEqual(['app.release_next app:2', 'app_next app:2']);
  });

  it('stops nothing of what serves, though both write to one volume', async () => {
    const given = bench();
    const { provider, spec, end, states } = given;
    const volumes = [{ name: 'data', kind: 'persistent' }] as const;
    const mounting = (image: string) => [app(image, { volumeMounts: [{ name: 'data', mountPath: '/d' }] })];
    await provider.provision(spec(mounting('app:1'), migrate, { volumes }), signal);
    end('app.release', 0);
    await provider.update(spec(mounting('app:1'), migrate, { volumes }), signal);
    await provider.update(spec(mounting('app:2'), migrate, { volumes }), signal);
    expect(states()).toMatchObject({ app: 'running', 'app.release_next': 'running' });
  });

  it('is run again for another state of any container, and not for another limit', async () => {
    const given = bench();
    const { provider, spec, runs } = given;
    const db = containerSpec('db', { image: 'db:1' });
    await served(given, [app('app:1'), db]);
    const limited = spec([app('app:1', { resources: { memory: '64Mi' } }), db]);
    expect(await provider.update(limited, signal)).toMatchObject({ outcome: 'done' });
    expect(runs).toHaveLength(3);
    await provider.update(spec([app('app:1'), { ...db, image: 'app:3' }]), signal);
    expect(runs.slice(3)).toEqual(['app.release_next app:1']);
  });

  it('that was removed by somebody once it was done is not run again', async () => {
    const given = bench();
    const { provider, spec, engine, find, runs } = given;
    await served(given);
    const before = (await provider.getStatus(spec([app('app:1')]), look)).compute;
    const wanted = spec([app('app:1')], migrate, { before });
    Object.assign(find('app.release') ?? {}, { state: 'removing' });
    expect((await provider.getStatus(wanted, look)).changes).toEqual([]);
    engine.containers.delete(find('app.release')?.id ?? '');
    expect((await provider.getStatus(wanted, look)).changes).toEqual([]);
    expect(await provider.update(wanted, signal)).toMatchObject({ outcome: 'done' });
    expect(runs).toHaveLength(2);
  });

  it('goes with the tenant, be it running', async () => {
    const { provider, spec, states } = bench();
    await provider.provision(spec([app('app:1')]), signal);
    await provider.destroy(spec([app('app:1')]), signal);
    expect(await provider.destroy(spec([app('app:1')]), signal)).toMatchObject({ outcome: 'gone' });
    expect(states()).toEqual({});
  });

  it('is refused where there is no such container', () => {
    const { provider, spec } = bench();
    expect(() => provider.desired(spec([app('app:1')], { container: 'api', args: ['migrate'] }))).toThrow(
      'spec.release.container: there is no container api: name one of app',
    );
  });

  it('needs consent to nothing but to what restarts nothing', async () => {
    const given = bench();
    const { provider, spec, states } = given;
    await served(given);
    const next = provider.desired(spec([app('app:1')], { ...migrate, args: ['migrate', 'all'] }));
    await provider.bare.update(next, permitUpTo('live'), signal);
    expect(states()).toMatchObject({ 'app.release_next': 'running' });
  });
});

describe('a release that fails', () => {
  it('keeps the old, and tells its last lines without secrets; nothing is tried again by itself', async () => {
    const given = bench();
    const { provider, spec, end, states, engine, runs } = given;
    await served(given);
    engine.outputs.set('app:2', 'one\ntwo\nno login as hunter2-hunter2\nat db.sql\ngiving up\n');
    const secret = new SecretValue('hunter2-hunter2');
    const env = [{ name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' }, secret }];
    const next = spec([app('app:2', { env })]);
    await provider.update(next, signal);
    end('app.release_next', 3);
    const told = {
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message:
        'The release command of app exited with code 3: no login as [redacted] | at db.sql | giving up. ' +
        `Nothing was replaced, and container ${prefix}.app.release_next is kept for its log`,
    };
    expect(await provider.update(next, signal)).toEqual(told);
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited', 'app.release_next': 'exited' });
    // The operator may have died before it could remember that.
    expect(await drivenDocker(given.watched, settings()).update(next, signal)).toEqual(told);
    await provider.hold(next, signal);
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited', 'app.release_next': 'exited' });
    expect(runs.slice(2)).toEqual(['app.release_next app:2']);
    // Back to what serves: what is left of the attempt goes.
    expect(await provider.update(spec([app('app:1')]), signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect(runs).toHaveLength(3);
  });

  it('is run once more where that is asked for', async () => {
    const given = bench();
    const { provider, spec, end, states, runs } = given;
    await served(given);
    await provider.update(spec([app('app:2')]), signal);
    end('app.release_next', 1);
    await provider.update(spec([app('app:2')]), signal);
    const again = spec([app('app:2')], migrate, { requestedAt: 'now' });
    await provider.update(again, signal);
    end('app.release_next', 0);
    expect(await provider.update(again, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect(runs.slice(2)).toEqual(['app.release_next app:2', 'app.release_next app:2', 'app_next app:2']);
    // One that is done is not.
    const more = spec([app('app:2')], migrate, { requestedAt: 'later' });
    expect(await provider.update(more, signal)).toMatchObject({ outcome: 'done' });
    expect(runs).toHaveLength(5);
  });

  it('has nothing else started where there is nothing before it', async () => {
    const { provider, spec, end, states, engine } = bench();
    engine.outputs.set('app:1', 'no such host');
    await provider.provision(spec([app('app:1')]), signal);
    end('app.release', 1);
    await expect(provider.provision(spec([app('app:1')]), signal)).rejects.toMatchObject({
      code: 'ProvisionFailed',
      message:
        'The release command of app exited with code 1: no such host. What comes after it is not started: ' +
        'change the spec, or ask for another try by the annotation landlord.dev/reconcile-requested-at',
    });
    expect(states()).toEqual({ app: 'created', 'app.release': 'exited' });
    const again = spec([app('app:1')], migrate, { requestedAt: 'now' });
    await provider.update(again, signal);
    expect(states()).toEqual({ app: 'created', 'app.release': 'running' });
  });

  it('and is all that is new leaves what runs alone', async () => {
    const { provider, spec, end, states } = bench();
    const without = tenantSpec({}, { containers: [app('app:1')] });
    await provider.provision(without, signal);
    const asking = spec([app('app:1')]);
    expect((await provider.getStatus(asking, look)).changes).toEqual([
      { path: 'release', desired: 'completed', actual: 'not completed', cause: 'spec', effect: 'live' },
    ]);
    await provider.update(asking, signal);
    end('app.release', 1);
    expect(await provider.update(asking, signal)).toMatchObject({ outcome: 'rolled_back' });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect((await provider.getStatus(asking, look)).compute).toMatchObject({ state: 'running', running: 1 });
    expect(await provider.update(without, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running' });
  });

  it('is ended once it has had its time, and has failed, whatever it says then', async () => {
    const given = bench();
    const { provider, spec, end, states, find, engine } = given;
    await served(given);
    const next = spec([app('app:2')], { ...migrate, timeoutSeconds: 60 });
    const { lookAgainAfterMs = 0 } = await provider.update(next, signal);
    expect(lookAgainAfterMs).toBeGreaterThan(0);
    expect(lookAgainAfterMs).toBeLessThanOrEqual(60_000);
    Object.assign(find('app.release_next') ?? {}, { startedMs: engine.time.nowMs() - 61_000 });
    await provider.update(next, signal);
    expect(states()).toMatchObject({ app: 'running', 'app.release_next': 'exited' });
    end('app.release_next', 0, 61_000);
    expect(await provider.update(next, signal)).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/^The release command of app did not end within 60 s/) as string,
    });
    expect(states()).toMatchObject({ app: 'running', 'app.release': 'exited' });
  });

  it('because somebody ended it is tried again, later', async () => {
    const given = bench();
    const { provider, spec, end, states, runs } = given;
    await served(given);
    await provider.update(spec([app('app:2')]), signal);
    end('app.release_next', 137);
    await expect(provider.update(spec([app('app:2')]), signal)).rejects.toMatchObject({
      code: 'UpdateFailed',
      message: 'The release command of app exited with code 137. It was removed, and is tried again',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    await drivenDocker(given.watched, settings()).update(spec([app('app:2')]), signal);
    expect(runs.slice(2)).toEqual(['app.release_next app:2', 'app.release_next app:2']);
  });

  it('at first because somebody ended it is tried again, too, and nothing is started meanwhile', async () => {
    const { provider, spec, end, states, watched } = bench();
    const wanted = spec([app('app:1')]);
    await provider.provision(wanted, signal);
    end('app.release', 137);
    for (let pass = 0; pass < 2; pass += 1)
      await expect(provider.update(wanted, signal)).rejects.toMatchObject({
        code: 'UpdateFailed',
        message: 'The release command of app exited with code 137, and is tried again',
      });
    expect(states()).toEqual({ app: 'created' });
    await drivenDocker(watched, settings()).update(wanted, signal);
    expect(states()).toEqual({ app: 'created', 'app.release': 'running' });
  });
});

describe('what waits for a release', () => {
  it('and never ran is not started for a spec that is not tried, with or without the release', async () => {
    const { provider, spec, states, engine, find, end } = bench();
    await provider.provision(spec([app('app:1')]), signal);
    await provider.hold(spec([app('app:2')]), signal);
    expect(states()).toEqual({ app: 'created', 'app.release': 'exited' });
    engine.containers.delete(find('app.release')?.id ?? '');
    await provider.hold(spec([app('app:2')]), signal);
    expect(states()).toEqual({ app: 'created' });
    await provider.update(spec([app('app:1')]), signal);
    end('app.release', 0);
    await provider.hold(spec([app('app:2')]), signal);
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
  });
});

describe('what served after its release', () => {
  it('is made again and started where it goes while another spec is not tried, without a second release', async () => {
    const given = bench();
    const { provider, spec, states, engine, find, runs } = given;
    await served(given);
    await provider.getStatus(spec([app('app:1')]), look);
    for (const name of ['app', 'app.release']) engine.containers.delete(find(name)?.id ?? '');
    runs.length = 0;
    await provider.hold(spec([app('app:2')]), signal);
    expect(states()).toMatchObject({ app: 'running' });
    expect(runs).toEqual(['app app:1']);
  });
});

describe('a release whose rollout fails after it', () => {
  it('is not run again with the next try', async () => {
    const given = bench(['app:1', 'crash:1']);
    const { provider, spec, end, states, runs } = given;
    await served(given);
    const next = spec([app('crash:1')]);
    await provider.update(next, signal);
    // `crash` has crashed by itself, and did what it was to do.
    end('app.release_next', 0);
    expect(await provider.update(next, signal)).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/^The new container app exited with code 3 .*It was removed$/) as string,
    });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited', 'app.release_next': 'exited' });
    await provider.hold(next, signal);
    expect(states()).toMatchObject({ 'app.release_next': 'exited' });
    await provider.update(spec([app('crash:1')], migrate, { requestedAt: 'now' }), signal);
    expect(runs.slice(2)).toEqual(['app.release_next crash:1', 'app_next crash:1', 'app_next crash:1']);
  });
});

describe('a release that has exited with code 0', () => {
  it('is done, also where the engine was started anew since', async () => {
    const given = bench();
    const { spec, end, states, engine, watched } = given;
    await served(given);
    const patient = drivenDocker(watched, settings(), { settleMs: 60_000 });
    await patient.update(spec([app('app:2')]), signal);
    end('app.release_next', 0);
    await patient.update(spec([app('app:2')]), signal);
    expect(states()).toMatchObject({ app_next: 'running' });
    engine.restart(137, 'killed');
    await expect(patient.update(spec([app('app:2')]), signal)).rejects.toMatchObject({
      message: 'The new container app exited with code 137. It was removed, and is tried again',
    });
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited', 'app.release_next': 'exited' });
  });
});

describe('another desired state while a release runs', () => {
  it('ends it before anything else', async () => {
    const given = bench();
    const { provider, spec, end, states, engine, find } = given;
    await served(given);
    await provider.update(spec([app('app:2')]), signal);
    const running = find('app.release_next')?.id ?? '';
    engine.calls.length = 0;
    await provider.update(spec([app('app:3')]), signal);
    expect(engine.calls.filter((call) => writeOf(call) !== undefined)[0]).toBe('stopContainer');
    await provider.update(spec([app('app:3')]), signal);
    expect(engine.containers.has(running)).toBe(false);
    expect(find('app.release_next')?.body.Image).toBe('app:3');
    end('app.release_next', 0);
    await provider.update(spec([app('app:3')]), signal);
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
  });

  it('also where it is the first one', async () => {
    const { provider, spec, end, states, runs } = bench();
    await provider.provision(spec([app('app:1')]), signal);
    await provider.update(spec([app('app:2')]), signal);
    await provider.update(spec([app('app:2')]), signal);
    expect(Object.values(states()).filter((state) => state === 'running')).toHaveLength(1);
    end('app.release', 0);
    await provider.update(spec([app('app:2')]), signal);
    expect(states()).toEqual({ app: 'running', 'app.release': 'exited' });
    expect(runs).toEqual(['app.release app:1', 'app.release app:2', 'app app:2']);
  });
});

describe('an operator that is killed', () => {
  const containers = (image: string) => [app(image)];

  /** Until nothing is left to do, with each release ending as it is told as soon as it runs. */
  async function converged(
    given: ReturnType<typeof bench>,
    image: string,
    exitCode: number,
  ): Promise<string> {
    const provider = drivenDocker(given.watched, settings());
    for (let pass = 0; pass < 20; pass += 1) {
      endRunning(given, exitCode);
      const { outcome } = await provider.update(given.spec(containers(image)), signal);
      if (outcome !== 'in_progress') return outcome;
    }
    return 'never';
  }

  function endRunning({ states, end }: ReturnType<typeof bench>, exitCode: number): void {
    for (const [name, state] of Object.entries(states()))
      if (name.includes('.release') && state === 'running') end(name, exitCode);
  }

  it.each([
    { ends: 'well', exitCode: 0, outcome: 'done', image: 'app:2' },
    { ends: 'badly', exitCode: 1, outcome: 'rolled_back', image: 'app:1' },
  ])('at any write has a release that ends $ends run once', async ({ exitCode, outcome, image }) => {
    let points = 0;
    for (const death of deaths()) {
      const given = bench();
      await served(given);
      const mortal = dyingProcess(death);
      const dying = drivenDocker(mortal.seeing(given.watched, writeOf), settings());
      for (let pass = 0; pass < 3; pass += 1) {
        endRunning(given, exitCode);
        await dying.update(given.spec(containers('app:2')), signal).catch(onlyDeath);
      }
      expect(await converged(given, 'app:2', exitCode)).toBe(outcome);
      const releases = given.runs.filter((run) => run.includes('.release') && run.endsWith('app:2'));
      expect(releases).toEqual(['app.release_next app:2']);
      expect(given.find('app')?.body.Image).toBe(image);
      points += 1;
      if (!mortal.hasDied()) break;
    }
    expect(points).toBeGreaterThan(4);
  });
});
