import { describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const look = { fresh: true, signal };

/** An engine on which whatever has just been started is asked what becomes of it. */
function bench(config: Record<string, unknown> = {}) {
  const engine = memoryEngine(['app:1', 'app:2', 'job:1', 'job:2', 'crash:1']);
  const provider = drivenDocker(engine, settings());
  const of = (container: string) =>
    [...engine.containers.values()].find((one) => one.name === `${name}.${container}`);
  return {
    engine,
    provider,
    of,
    spec: (...containers: ContainerSpec[]) => tenantSpec(config, { containers }),
    end: (container: string, exitCode: number) =>
      Object.assign(of(container) ?? {}, { state: 'exited', exitCode, finishedMs: Date.now() }),
    states: () =>
      Object.fromEntries(
        [...engine.containers.values()].map((one) => [one.name.replace(`${name}.`, ''), one.state]),
      ),
  };
}

const job = (over: Partial<ContainerSpec> = {}) =>
  containerSpec('job', { image: 'job:1', restartPolicy: 'Never', ...over });
const app = (over: Partial<ContainerSpec> = {}) =>
  containerSpec('app', { dependsOn: [{ container: 'job', condition: 'Completed' }], ...over });

describe('a container that waits for a job', () => {
  it('is started by the pass that follows its end, and the job is run once', async () => {
    const { provider, spec, end, states, engine } = bench();
    const wanted = spec(app(), job());
    expect(await provider.provision(wanted, signal)).toMatchObject({
      outcome: 'in_progress',
      message: 'Waiting until job has completed, before app is started',
    });
    expect(states()).toEqual({ app: 'created', job: 'running' });
    end('job', 0);
    expect(await provider.update(wanted, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', job: 'exited' });
    const seen = await provider.getStatus(wanted, look);
    expect(seen).toMatchObject({ changes: [], compute: { running: 1, desired: 1, health: 'healthy' } });
    // Whoever removes it does not have it run again, and what waits for it does not miss it.
    const before = seen.compute;
    for (const one of engine.containers.values()) engine.containers.delete(one.id);
    expect(await provider.provision({ ...wanted, before }, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running' });
    expect(await provider.getStatus({ ...wanted, before }, look)).toMatchObject({
      changes: [],
      compute: { running: 1, desired: 1 },
    });
  });

  it('is not started where that fails, which is told with the last lines and without secrets', async () => {
    const { provider, spec, end, states, engine } = bench();
    const secret = { name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' } };
    const { SecretValue } = await import('../../../../src/compute/spec/secret-value.ts');
    const wanted = spec(app(), job({ env: [{ ...secret, secret: new SecretValue('hunter2-hunter2') }] }));
    engine.outputs.set('job:1', 'one\ntwo\n\u001b[31mno login as hunter2-hunter2\r\nat db.sql\ngiving up\n');
    await provider.provision(wanted, signal);
    end('job', 3);
    const lines = 'no login as \\[redacted\\] \\| at db.sql \\| giving up';
    await expect(provider.update(wanted, signal)).rejects.toMatchObject({
      code: 'UpdateFailed',
      message: expect.stringMatching(
        new RegExp(`^container app waits for job, which exited with code 3: .*${lines}$`),
      ) as string,
    });
    expect(states()).toEqual({ app: 'created', job: 'exited' });
    const { message } = await provider.getStatus(wanted, look);
    expect(message).toMatch(new RegExp(`^container job exited with code 3: .*${lines}$`));
    expect(engine.calls.filter((call) => call === 'lastOutput')).toHaveLength(1);
    // Without a spec nobody knows what may be told.
    const { placement, tenantId, namespace } = provider.desired(wanted);
    const at = { placement, tenantId, namespace, name: 'acme' };
    expect((await provider.bare.getStatus(at, undefined, look)).message).toBe(
      'container job exited with code 3',
    );
  });

  it('has its job run anew with a new image, before it is replaced itself; one that fails keeps the old', async () => {
    const { provider, spec, end, of, states, engine } = bench();
    const wanted = spec(app(), job());
    await provider.provision(wanted, signal);
    end('job', 0);
    await provider.update(wanted, signal);
    const serving = of('app')?.id;
    const next = spec(app({ image: 'app:2' }), job({ image: 'job:2' }));
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'in_progress' });
    expect(states()).toMatchObject({ app: 'running', app_next: 'created', job_next: 'running' });
    engine.outputs.set('job:2', 'no such column');
    end('job_next', 1);
    expect(await provider.update(next, signal)).toEqual({
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message: 'The new container job exited with code 1: no such column. It was removed',
    });
    expect(of('app')?.id).toBe(serving);
    expect(states()).toEqual({ app: 'running', job: 'exited' });
  });
});

describe('what a change of the order does', () => {
  it('nothing to what runs, and a spec that was rejected is another one with it', async () => {
    const { provider, spec, of } = bench();
    const before = spec(containerSpec('app'), containerSpec('db'));
    await provider.provision(before, signal);
    const ids = [of('app')?.id, of('db')?.id];
    const after = spec(
      containerSpec('app', { dependsOn: [{ container: 'db', condition: 'Healthy' }] }),
      containerSpec('db'),
    );
    expect((await provider.getStatus(after, look)).changes).toEqual([]);
    expect(await provider.update(after, signal)).toMatchObject({ outcome: 'done' });
    expect([of('app')?.id, of('db')?.id]).toEqual(ids);
    expect(provider.desired(after).specHash).not.toBe(provider.desired(before).specHash);
  });
});

describe('restartPolicy', () => {
  it("goes before the block's, container by container, and is changed while it runs", async () => {
    const { provider, spec, of } = bench({ restart_policy: 'always' });
    const policies = () => ['a', 'b', 'c', 'd'].map((one) => of(one)?.hostConfig.RestartPolicy?.Name);
    const wanted = (first: ContainerSpec['restartPolicy']) =>
      spec(
        containerSpec('a', first === undefined ? {} : { restartPolicy: first }),
        containerSpec('b', { restartPolicy: 'Always' }),
        containerSpec('c', { restartPolicy: 'OnFailure' }),
        containerSpec('d', { restartPolicy: 'Never' }),
      );
    await provider.provision(wanted(undefined), signal);
    expect(policies()).toEqual(['always', 'unless-stopped', 'on-failure', 'no']);
    const id = of('a')?.id;
    await provider.update(wanted('Never'), signal);
    expect([of('a')?.id, policies()[0]]).toEqual([id, 'no']);
  });

  it('leaves the hashes of what says nothing as they were', () => {
    const { provider, spec } = bench();
    const said = containerSpec('app', { dependsOn: [], essential: true });
    expect(provider.desired(spec(said)).specHash).toBe(provider.desired(spec(containerSpec('app'))).specHash);
  });
});

describe('one that is not essential', () => {
  const side = (over: Partial<ContainerSpec> = {}) =>
    containerSpec('side', { restartPolicy: 'Never', essential: false, ...over });

  it('shows how it ended, and nothing else is any the worse for it', async () => {
    const { provider, spec, end } = bench();
    const wanted = spec(containerSpec('app'), side());
    await provider.provision(wanted, signal);
    end('side', 1);
    const seen = await provider.getStatus(wanted, look);
    expect(seen).toMatchObject({
      changes: [],
      compute: {
        state: 'running',
        health: 'healthy',
        running: 1,
        desired: 1,
        containers: [
          { name: 'app', ready: true },
          { name: 'side', state: 'failed', ready: false, message: 'exited with code 1' },
        ],
      },
    });
    expect(seen.message).toBeUndefined();
  });

  it('takes no rollout back, while one that is does', async () => {
    const { provider, spec, states } = bench();
    await provider.provision(spec(containerSpec('app'), side({ image: 'app:1' })), signal);
    const essential = spec(containerSpec('app'), side({ image: 'crash:1', essential: true }));
    expect(await provider.update(essential, signal)).toMatchObject({ outcome: 'rolled_back' });
    const spared = spec(containerSpec('app'), side({ image: 'crash:1' }));
    expect(await provider.update(spared, signal)).toMatchObject({ outcome: 'done' });
    expect(states()).toEqual({ app: 'running', side: 'exited' });
  });

  it('is missed where it was never made', async () => {
    const { provider, spec } = bench();
    const wanted = spec(containerSpec('app'), side());
    expect((await provider.getStatus(wanted, look)).exists).toBe(false);
    await provider.provision(spec(containerSpec('app')), signal);
    expect((await provider.getStatus(wanted, look)).changes).not.toEqual([]);
  });
});
