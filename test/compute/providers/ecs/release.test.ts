import { describe, expect, it } from 'vitest';
import type { ReleaseSpec } from '../../../../src/api/container/release-fields.ts';
import { deaths, dyingProcess, onlyDeath } from '../../dying-process.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from './ecs-fixture.ts';
import { memoryEcs, writeOf, writesOf } from './memory-ecs.ts';
import type { MemoryEcs } from './memory-ecs.ts';

const { block, policy } = settings({}, { allowed_subnets: ['subnet-1'] });
const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const migrate: ReleaseSpec = { container: 'app', args: ['migrate'] };
const build = (ecs: Parameters<typeof drivenEcs>[0]) => drivenEcs(ecs, block, policy, context());

const spec = (image: string, release: ReleaseSpec | undefined = migrate, over = {}) =>
  tenantSpec(
    { launch_type: 'FARGATE', subnets: ['subnet-1'] },
    { containers: [containerSpec('app', { image })], ...(release && { release }), ...over },
  );

/** The newest task that is of no service ends. */
function end(ecs: MemoryEcs, exitCode: number | undefined, more: object = {}): void {
  const task = ecs.tasks.at(-1);
  const stoppingAt = new Date((task?.startedAt?.getTime() ?? 0) + 1_000);
  const containers = task?.containers?.map((one) => ({ ...one, lastStatus: 'STOPPED', exitCode }));
  const ended = { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'EssentialContainerExited' };
  Object.assign(task ?? {}, { ...ended, stoppingAt, stoppedAt: stoppingAt, containers, ...more });
}

async function served(ecs: MemoryEcs) {
  const provider = build(ecs);
  await provider.provision(spec('app:1'), signal);
  end(ecs, 0);
  await provider.provision(spec('app:1'), signal);
  await settled(provider, spec('app:1'));
  return provider;
}

const inputOf = (ecs: MemoryEcs, call: string) =>
  ecs.calls.filter((one) => one.name === call).map(({ input }) => input);
const waiting = { outcome: 'in_progress', message: 'Waiting until the release command of app has ended' };

describe('a release on ECS', () => {
  it('is run as a task of the new revision before there is a service, and once', async () => {
    const ecs = memoryEcs();
    const provider = build(ecs);
    expect(await provider.provision(spec('app:1'), signal)).toMatchObject(waiting);
    expect(await provider.provision(spec('app:1'), signal)).toMatchObject(waiting);
    expect(ecs.service(name)).toBeUndefined();
    end(ecs, 0);
    expect(await provider.provision(spec('app:1'), signal)).toMatchObject({ outcome: 'done' });
    const seen = await settled(provider, spec('app:1'));
    expect(seen).toMatchObject({ changes: [], compute: { health: 'healthy' } });
    expect(await provider.update(spec('app:1'), signal)).toMatchObject({ outcome: 'done' });
    expect(ecs.tasks).toHaveLength(1);
    expect(inputOf(ecs, 'runTask')).toEqual([
      {
        cluster: expect.stringMatching(/cluster\/landlord$/) as string,
        taskDefinition: ecs.service(name)?.taskDefinition,
        count: 1,
        startedBy: expect.stringMatching(/^landlord-release-[0-9a-f]{16}$/) as string,
        launchType: 'FARGATE',
        networkConfiguration: {
          awsvpcConfiguration: { subnets: ['subnet-1'], assignPublicIp: 'DISABLED' },
        },
        overrides: { containerOverrides: [{ name: 'app', command: ['migrate'] }] },
        tags: expect.arrayContaining([
          { key: 'landlord.tenant_name', value: 'acme' },
          { key: 'landlord.release', value: expect.stringMatching(/^v1:[0-9a-f]{32} at=none$/) as string },
        ]) as unknown,
        clientToken: expect.stringMatching(/^[0-9a-f]{36}$/) as string,
      },
    ]);
  });

  it('goes before a rollout, which it is part of the plan of', async () => {
    const ecs = memoryEcs();
    const provider = await served(ecs);
    const before = ecs.service(name)?.taskDefinition;
    expect((await provider.getStatus(spec('app:2'), { fresh: true, signal })).changes).toContainEqual({
      path: 'release',
      desired: 'completed',
      actual: 'not completed',
      cause: 'spec',
      effect: 'live',
    });
    expect(await provider.update(spec('app:2'), signal)).toMatchObject(waiting);
    expect(ecs.service(name)?.taskDefinition).toBe(before);
    end(ecs, 0);
    expect(await provider.update(spec('app:2'), signal)).toMatchObject({ outcome: 'done' });
    expect(ecs.service(name)?.taskDefinition).not.toBe(before);
    expect((await settled(provider, spec('app:2'))).changes).toEqual([]);
    expect(ecs.tasks).toHaveLength(2);
    // Another count is no other state of the containers.
    const { config } = spec('app:2');
    await provider.update({ ...spec('app:2'), config: { ...config, desired_count: 3 } }, signal);
    expect(ecs.tasks).toHaveLength(2);
  });

  it('that fails keeps the old, and is run once more for another request alone', async () => {
    const ecs = memoryEcs();
    const provider = await served(ecs);
    const before = ecs.service(name)?.taskDefinition;
    await provider.update(spec('app:2'), signal);
    end(ecs, 3);
    const told = {
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message: 'The release command of app exited with code 3. Nothing was replaced',
    };
    expect(await provider.update(spec('app:2'), signal)).toEqual(told);
    expect(await build(ecs).update(spec('app:2'), signal)).toEqual(told);
    await provider.hold(spec('app:2'), signal);
    expect(ecs.service(name)?.taskDefinition).toBe(before);
    expect(ecs.tasks).toHaveLength(2);
    const again = spec('app:2', migrate, { requestedAt: 'now' });
    expect(await provider.update(again, signal)).toMatchObject(waiting);
    end(ecs, 0);
    expect(await provider.update(again, signal)).toMatchObject({ outcome: 'done' });
    expect(await provider.update(spec('app:2', migrate, { requestedAt: 'later' }), signal)).toMatchObject({
      outcome: 'done',
    });
    expect(ecs.tasks).toHaveLength(3);
  });

  it('that fails at first has no service made', async () => {
    const ecs = memoryEcs();
    const provider = build(ecs);
    await provider.provision(spec('app:1'), signal);
    end(ecs, 1);
    for (let pass = 0; pass < 2; pass += 1)
      await expect(provider.provision(spec('app:1'), signal)).rejects.toMatchObject({
        code: 'ProvisionFailed',
        message: 'The release command of app exited with code 1. No service is made after it',
      });
    expect(ecs.service(name)).toBeUndefined();
    expect(ecs.tasks).toHaveLength(1);
  });

  it('is stopped once it has had its time, and has failed', async () => {
    const ecs = memoryEcs();
    const provider = await served(ecs);
    const timed = spec('app:2', { ...migrate, timeoutSeconds: 60 });
    await provider.update(timed, signal);
    Object.assign(ecs.tasks.at(-1) ?? {}, { startedAt: new Date(Date.now() - 61_000) });
    expect(await provider.update(timed, signal)).toMatchObject({ outcome: 'in_progress' });
    expect(ecs.tasks.at(-1)?.lastStatus).toBe('STOPPED');
    expect(await provider.update(timed, signal)).toMatchObject({
      outcome: 'rolled_back',
      message: 'The release command of app did not end within 60 s. Nothing was replaced',
    });
  });

  it('that somebody ended is run again, ever later', async () => {
    const ecs = memoryEcs();
    const provider = await served(ecs);
    await provider.update(spec('app:2'), signal);
    const stopped = { stopCode: 'UserInitiated', stoppedReason: 'by hand', stoppingAt: new Date() };
    end(ecs, 143, stopped);
    await expect(provider.update(spec('app:2'), signal)).rejects.toMatchObject({
      code: 'UpdateFailed',
      message: 'The release command of app: was ended: by hand. It is run again',
      retryAfterMs: expect.any(Number) as number,
    });
    Object.assign(ecs.tasks.at(-1) ?? {}, { startedAt: new Date(0) });
    end(ecs, 143, { ...stopped, stoppingAt: new Date(11_000) });
    expect(await provider.update(spec('app:2'), signal)).toMatchObject(waiting);
    expect(ecs.tasks).toHaveLength(3);
  });

  it('whose image can not be had says so', async () => {
    const ecs = memoryEcs();
    const provider = build(ecs);
    await provider.provision(spec('app:1'), signal);
    end(ecs, undefined, {
      startedAt: undefined,
      stoppingAt: new Date(),
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'CannotPullContainerError: app:1: not found',
    });
    await expect(provider.provision(spec('app:1'), signal)).rejects.toMatchObject({
      code: 'ImageUnavailable',
    });
  });

  it('for which there is no place is tried again', async () => {
    const ecs = memoryEcs();
    const full = { ...ecs, runTask: async () => ({ failure: 'RESOURCE:MEMORY' }) };
    await expect(build(full).provision(spec('app:1'), signal)).rejects.toMatchObject({
      code: 'ProvisionFailed',
      message: 'ECS has no place for the release command of app: RESOURCE:MEMORY',
    });
  });

  it('is ended by a newer spec, one without it, and a deletion', async () => {
    const ecs = memoryEcs();
    const provider = await served(ecs);
    await provider.update(spec('app:2'), signal);
    expect(await provider.update(spec('app:3'), signal)).toMatchObject({
      outcome: 'in_progress',
      message: `Ending a release of service ${name}`,
    });
    expect(ecs.tasks.at(-1)?.lastStatus).toBe('STOPPED');
    expect(await provider.update(spec('app:3'), signal)).toMatchObject(waiting);
    const without = tenantSpec(spec('app:3').config, { containers: spec('app:3').containers });
    await provider.update(without, signal);
    expect(ecs.tasks.at(-1)?.lastStatus).toBe('STOPPED');
    expect(await provider.update(without, signal)).toMatchObject({ outcome: 'done' });
    expect((await settled(provider, without)).changes).toEqual([]);
    expect(ecs.service(name)?.tags?.map(({ key }) => key)).not.toContain('landlord.release');

    await provider.update(spec('app:1'), signal);
    expect(ecs.tasks.at(-1)?.lastStatus).toBe('RUNNING');
    await provider.destroy(spec('app:1'), signal);
    expect(ecs.tasks.at(-1)?.lastStatus).toBe('STOPPED');
  });

  it('goes with a tenant that has no service yet, and nobody else’s does', async () => {
    const ecs = memoryEcs();
    const provider = build(ecs);
    await provider.provision(spec('app:1'), signal);
    const [task] = structuredClone(ecs.tasks);
    ecs.tasks.push({ ...task, taskArn: 'arn:foreign', tags: [] });
    await provider.destroy(spec('app:1'), signal);
    expect(ecs.tasks.map(({ lastStatus }) => lastStatus)).toEqual(['STOPPED', 'RUNNING']);
    expect(await provider.destroy(spec('app:1'), signal)).toMatchObject({ outcome: 'gone' });
  });

  it('costs a tenant without one no call', async () => {
    const ecs = memoryEcs();
    const provider = build(ecs);
    const without = tenantSpec({}, { containers: [containerSpec('app')] });
    await provider.provision(without, signal);
    await settled(provider, without);
    await provider.update(without, signal);
    expect(ecs.calls.map((call) => call.name)).not.toContain('describeStartedTasks');
  });

  it.each([
    ['command', { container: 'app', command: ['/migrate'] }, {}],
    ['container', { container: 'api', args: ['a'] }, {}],
    ['args', { container: 'app', args: ['a'.repeat(8_192)] }, {}],
  ])('is refused with words for what ECS can not do: %s', (field, release, over) => {
    expect(() => build(memoryEcs()).desired(spec('app:1', release, over))).toThrow(`spec.release.${field}: `);
  });
});

describe('an operator that is killed', () => {
  it.each([
    { ends: 'well', exitCode: 0, outcome: 'done' },
    { ends: 'badly', exitCode: 1, outcome: 'rolled_back' },
  ])('at any write has a release that ends $ends run once', async ({ exitCode, outcome }) => {
    let points = 0;
    const endRunning = (ecs: MemoryEcs) => {
      if (ecs.tasks.at(-1)?.lastStatus === 'RUNNING') end(ecs, exitCode);
    };
    for (const death of deaths()) {
      const ecs = memoryEcs();
      await served(ecs);
      const mortal = dyingProcess(death);
      const dying = build(mortal.seeing(ecs, writeOf));
      for (let pass = 0; pass < 3; pass += 1) {
        endRunning(ecs);
        await dying.update(spec('app:2'), signal).catch(onlyDeath);
      }
      let last: string | undefined;
      for (let pass = 0; pass < 5 && last !== outcome; pass += 1) {
        endRunning(ecs);
        last = (await build(ecs).update(spec('app:2'), signal)).outcome;
      }
      expect(last).toBe(outcome);
      expect(ecs.tasks).toHaveLength(2);
      points += 1;
      if (!mortal.hasDied()) break;
    }
    expect(points).toBeGreaterThan(2);
  });

  it('makes nothing else for it', async () => {
    const ecs = memoryEcs();
    await served(ecs);
    expect(writesOf(ecs)).toEqual(['registerTaskDefinition', 'runTask', 'createService']);
  });
});
