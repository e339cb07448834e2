import { describe, expect, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { readMark } from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { tagMap } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { createSecretVersions } from '../../../../../src/compute/providers/ecs/watch/secret-versions.ts';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from '../ecs-fixture.ts';
import { memoryEcs, writesOf } from '../memory-ecs.ts';
import type { MemoryEcs } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const vault = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:';
const reference = `${vault}team-a/db/password`;
const mapped = { secret_arns: { '*/*/*': `${vault}{namespace}/{name}/{key}` } };
const versioned = settings({ ...mapped, secret_versions: true });

const env = [{ name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' } }];
const reading = (over: Partial<ReturnType<typeof tenantSpec>> = {}) =>
  tenantSpec({}, { containers: [containerSpec('app', { env })], ...over });

/** A provider that knows nothing yet, of a process that has just started. */
const processOver = (ecs: MemoryEcs, operator = versioned) =>
  drivenEcs(ecs, operator.block, operator.policy, context());

async function created(operator = versioned) {
  const ecs = memoryEcs();
  ecs.secrets.set(reference, 'v1');
  const provider = processOver(ecs, operator);
  await provider.provision(reading(), signal);
  await settled(provider, reading());
  ecs.calls.length = 0;
  return { ecs, provider };
}

const markOf = (ecs: MemoryEcs) => readMark(tagMap(ecs.service(name)?.tags)).secrets;
const asksOf = (ecs: MemoryEcs) => ecs.calls.filter((call) => call.name === 'secretVersions').length;

describe('a secret that was rotated', () => {
  test('rolls the service out, once, with the tasks of before until the new ones run', async () => {
    const { ecs } = await created();
    const before = markOf(ecs);
    ecs.secrets.set(reference, 'v2');
    const provider = processOver(ecs);
    expect((await provider.getStatus(reading(), { fresh: true, signal })).changes).toEqual([
      {
        path: 'tasks',
        desired: expect.stringMatching(/^started anew \(versions [\w-]+\)$/) as string,
        actual: `of earlier versions of its secrets (${before})`,
        cause: 'spec',
        effect: 'replace',
      },
    ]);
    ecs.calls.length = 0;
    await provider.update(reading(), signal);
    expect(ecs.calls.find((call) => call.name === 'updateService')?.input).toMatchObject({
      forceNewDeployment: true,
    });
    expect(markOf(ecs)).not.toBe(before);
    expect((await settled(provider, reading())).changes).toEqual([]);
    ecs.calls.length = 0;
    await provider.update(reading(), signal);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('is another plan for each rotation: consent to one is none to the next', async () => {
    const { ecs } = await created();
    const seen = async (version: string) => {
      ecs.secrets.set(reference, version);
      return (await processOver(ecs).getStatus(reading(), { fresh: true, signal })).changes;
    };
    expect(await seen('v2')).not.toEqual(await seen('v3'));
  });

  test('rolls nothing out where it was not: over a restart, and many looks', async () => {
    const { ecs } = await created();
    const provider = processOver(ecs);
    expect((await settled(provider, reading())).changes).toEqual([]);
    await provider.update(reading(), signal);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('is not asked about where the operator does not say so, nor where nothing is read', async () => {
    const { ecs, provider } = await created(settings(mapped));
    ecs.secrets.set(reference, 'v2');
    expect((await settled(provider, reading())).changes).toEqual([]);
    expect(markOf(ecs)).toBeUndefined();
    const plain = { ecs: memoryEcs() };
    const other = processOver(plain.ecs);
    await other.provision(tenantSpec(), signal);
    await settled(other, tenantSpec());
    expect([asksOf(ecs), asksOf(plain.ecs)]).toEqual([0, 0]);
  });

  test('is noted without a rollout once the operator begins to ask', async () => {
    const { ecs } = await created(settings(mapped));
    const provider = processOver(ecs);
    expect((await settled(provider, reading())).changes).toMatchObject([{ effect: 'live' }]);
    ecs.calls.length = 0;
    await provider.update(reading(), signal);
    expect(writesOf(ecs)).toEqual(['tagResource']);
    expect(markOf(ecs)).toBeDefined();
    expect((await settled(provider, reading())).changes).toEqual([]);
  });

  test('is no difference to a Tenant that is only observed', async () => {
    const { ecs } = await created();
    ecs.secrets.set(reference, 'v2');
    const observing = reading({ mode: 'Observe' });
    expect((await processOver(ecs).getStatus(observing, { fresh: true, signal })).changes).toEqual([]);
  });

  test('and was taken back by the circuit breaker is told: what runs may have read it before', async () => {
    const { ecs, provider } = await created();
    for (const service of ecs.services.values()) {
      const [primary] = service.deployments ?? [];
      service.events = [{ id: 'e', message: `(service ${name}) rolling back to deployment ${primary?.id}.` }];
    }
    expect(await settled(provider, reading())).toMatchObject({
      changes: [],
      notes: ['ECS went back to tasks of before, which may have read earlier versions of its secrets'],
    });
    const plain = processOver(ecs, settings(mapped));
    expect((await settled(plain, reading())).notes).toBeUndefined();
  });
});

describe('versions that can not be asked for', () => {
  const denied = new ComputeError('AccessDenied', 'Secrets Manager denies secretsmanager:DescribeSecret');

  test('leave what runs alone, and are told in its message', async () => {
    const { ecs } = await created();
    const provider = processOver({ ...ecs, secretVersions: async () => Promise.reject(denied) });
    expect(await settled(provider, reading())).toMatchObject({
      changes: [],
      compute: { health: 'healthy' },
      notes: [
        'whether its secrets were rotated is not known: Secrets Manager denies secretsmanager:DescribeSecret',
      ],
    });
  });

  test('hold up what would be started without them', async () => {
    const ecs = memoryEcs();
    const provider = processOver({ ...ecs, secretVersions: async () => Promise.reject(denied) });
    await expect(provider.provision(reading(), signal)).rejects.toBe(denied);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('of a secret that is gone start nothing anew', async () => {
    const { ecs } = await created();
    ecs.secrets.clear();
    expect(await settled(processOver(ecs), reading())).toMatchObject({
      changes: [],
      notes: [`whether its secrets were rotated is not known: there is no ${reference}`],
    });
  });
});

test('what was rotated while its secret was gone is not missed, whatever was edited meanwhile', async () => {
  const { ecs, provider } = await created();
  const before = markOf(ecs);
  const scaled = reading({ replicas: 3 });
  ecs.secrets.clear();
  await provider.update(scaled, signal);
  expect(ecs.calls.some(({ input }) => (input as { forceNewDeployment?: boolean }).forceNewDeployment)).toBe(
    false,
  );
  expect(markOf(ecs)).toBe(before);
  ecs.secrets.set(reference, 'v2');
  expect((await processOver(ecs).getStatus(scaled, { fresh: true, signal })).changes).toMatchObject([
    { path: 'tasks', actual: `of earlier versions of its secrets (${before})` },
  ]);
});

describe('a sweep over the versions', () => {
  async function swept(act: (ecs: MemoryEcs) => void) {
    const { ecs } = await created();
    const view = createServiceView(() => 0);
    let nowMs = 0;
    const secretVersions = vi.fn<MemoryEcs['secretVersions']>(async (...asked) =>
      ecs.secretVersions(...asked),
    );
    const versions = createSecretVersions({ api: { secretVersions }, view, now: () => nowMs });
    const desired = processOver(ecs).desired(reading());
    view.store(
      { target: desired.target, tenantId: 'acme', service: ecs.service(name), settled: true },
      view.moment(),
    );
    await versions.looked(desired, { fresh: false, signal });
    expect(secretVersions).not.toHaveBeenCalled();
    act(ecs);
    const changed: unknown[] = [];
    const failures: unknown[] = [];
    const sweep = async () =>
      versions.sweep(
        { onChange: (tenantId) => void changed.push(tenantId), failed: (error) => void failures.push(error) },
        signal,
      );
    await sweep();
    return {
      changed,
      failures,
      sweep,
      secretVersions,
      view,
      desired,
      versions,
      pass: (ms: number) => void (nowMs += ms),
    };
  }

  test('tells of those that were rotated, also while no process ran', async () => {
    const { changed, secretVersions, desired, versions } = await swept((ecs) =>
      ecs.secrets.set(reference, 'v2'),
    );
    expect(changed).toEqual(['acme']);
    expect(secretVersions.mock.calls.map(([, references, priority]) => [references, priority])).toEqual([
      [[reference], 'sweep'],
    ]);
    expect((await versions.looked(desired, { fresh: false, signal })).secretVersions).toBeDefined();
  });

  test('tells of nothing else', async () => {
    const { changed } = await swept(() => undefined);
    expect(changed).toEqual([]);
  });

  test('asks for no service that is gone, and for none twice within a moment', async () => {
    const { sweep, secretVersions, view, desired, pass } = await swept(() => undefined);
    await sweep();
    expect(secretVersions).toHaveBeenCalledTimes(1);
    pass(5_000);
    await sweep();
    expect(secretVersions).toHaveBeenCalledTimes(2);
    view.forget(desired.target);
    pass(5_000);
    await sweep();
    expect(secretVersions).toHaveBeenCalledTimes(2);
  });

  test('tells once of what could not be asked for', async () => {
    const { failures, sweep, secretVersions, versions, desired, pass } = await swept(() => undefined);
    const silent = new ComputeError('ProviderUnavailable', 'Secrets Manager does not answer');
    secretVersions.mockRejectedValue(silent);
    pass(5_000);
    await sweep();
    expect(failures).toEqual([silent]);
    expect(versions.notes(desired)).toEqual([
      'whether its secrets were rotated is not known: Secrets Manager does not answer',
    ]);
  });

  /** Two services of one account, of which the first reads what the operator may not ask about. */
  async function beside() {
    const view = createServiceView(() => 0);
    let nowMs = 0;
    let isDenied = true;
    const denied = new ComputeError('AccessDenied', 'Secrets Manager denies DescribeSecret on first');
    const refers = (reference: string) => reference.endsWith(':first');
    const secretVersions = vi.fn<MemoryEcs['secretVersions']>(async (_scope, references) => {
      if (isDenied && references.some(refers)) throw denied;
      return new Map(references.map((one) => [one, 'v1']));
    });
    const versions = createSecretVersions({ api: { secretVersions }, view, now: () => nowMs });
    const desired = processOver(memoryEcs()).desired(reading());
    const services = ['first', 'second'].map((service) => ({
      ...desired,
      tenantId: service,
      target: { ...desired.target, service },
      secretReferences: [`${vault}${service}`],
    }));
    for (const { target, tenantId } of services)
      view.store({ target, tenantId, service: { tags: [] }, settled: true }, view.moment());
    for (const one of services) await versions.looked(one, { fresh: false, signal });
    const changed: unknown[] = [];
    const failures: unknown[] = [];
    const sweep = async () => {
      nowMs += 300_000;
      changed.length = 0;
      await versions.sweep(
        { onChange: (tenantId) => void changed.push(tenantId), failed: (error) => void failures.push(error) },
        signal,
      );
      return [...changed];
    };
    const notes = () => services.map((one) => versions.notes(one));
    return { sweep, notes, failures, denied, allow: () => void (isDenied = false), secretVersions };
  }

  test('knows of all others what one may not be asked about', async () => {
    const { sweep, notes, failures, denied } = await beside();
    await sweep();
    expect(notes()).toEqual([[`whether its secrets were rotated is not known: ${denied.message}`], []]);
    expect(failures).toEqual([denied]);
  });

  test('tells whose message has become another one, and not again and again', async () => {
    const { sweep, notes, allow, secretVersions } = await beside();
    // Their versions are yet to be noted, which the second is told of each time.
    expect(await sweep()).toEqual(['first', 'second']);
    expect(await sweep()).toEqual(['second']);
    const silent = new ComputeError('ProviderUnavailable', 'Secrets Manager does not answer');
    secretVersions.mockRejectedValueOnce(silent);
    expect(await sweep()).not.toContain('first');
    allow();
    expect(await sweep()).toContain('first');
    expect(notes()).toEqual([[], []]);
  });
});
