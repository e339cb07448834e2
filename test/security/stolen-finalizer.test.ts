import { describe, expect, test } from 'vitest';
import { finalizer } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { startController } from '../controller/controller-fixture.ts';
import { changesIn, scriptedProvider } from '../controller/scripted-provider.ts';

/** Whoever may write Tenants may take their finalizer away: what runs is nobody's then, and counts for no quota. */
async function withTenant(spec: Record<string, unknown> = {}) {
  const docker = scriptedProvider('docker');
  let orphaned = 0;
  const fixture = await startController([docker], { metrics: { onOrphaned: () => void (orphaned += 1) } });
  await fixture.create('acme', spec);
  fixture.news();
  docker.calls.length = 0;
  const takeAway = () => fixture.tenants.mergePatch('acme', 'team-a', { metadata: { finalizers: null } });
  const remove = () => fixture.tenants.delete('acme', 'team-a');
  return { docker, fixture, takeAway, remove, orphaned: () => orphaned };
}

describe('a Tenant whose finalizer somebody takes away', () => {
  test.each(['before its deletion', 'while the operator empties its place'])(
    '%s, is told of',
    async (when) => {
      const { docker, fixture, takeAway, remove, orphaned } = await withTenant();
      if (when === 'before its deletion') {
        await takeAway();
        await remove();
      } else {
        docker.destroys.push({ outcome: 'in_progress', message: 'stopping', lookAgainAfterMs: 60_000 });
        await remove();
        await fixture.pass();
        await takeAway();
      }
      await fixture.pass(1000);
      const [event] = fixture.events.slice(-1);
      expect(event).toMatchObject({
        type: 'Warning',
        reason: 'Orphaned',
        regarding: { kind: 'Tenant', name: 'acme', namespace: 'team-a' },
      });
      expect(event?.note).toContain('what runs at docker is nobody');
      expect(fixture.lines.filter(({ message }) => message === event?.note)).toMatchObject([
        { level: 'warn', fields: { tenant: 'team-a/acme' } },
      ]);
      expect(orphaned()).toBe(1);
      expect(docker.workloads.size).toBe(1);
    },
  );

  test('by a hand that is quicker than the operator is told of once the apiserver answers', async () => {
    const { fixture, takeAway, remove, orphaned } = await withTenant();
    let refused = 2;
    fixture.apiserver.intercept = ({ user, method, path }) => {
      if (user !== 'operator' || method !== 'GET' || !path.endsWith('/acme') || refused === 0) return;
      refused -= 1;
      throw new Error('no answer');
    };
    await takeAway();
    await remove();
    await fixture.pass();
    expect(orphaned()).toBe(0);
    await fixture.pass(10_000);
    expect(orphaned()).toBe(1);
  });

  test('gets it back while it is there', async () => {
    const { fixture, takeAway, orphaned } = await withTenant();
    await takeAway();
    await fixture.pass();
    expect((await fixture.get('acme')).metadata.finalizers).toEqual([finalizer]);
    expect(orphaned()).toBe(0);
  });
});

describe('nothing is told of a Tenant', () => {
  test.each([{}, { deletionPolicy: 'Retain' }])('that the operator let go (%o)', async (spec) => {
    const { fixture, remove, orphaned } = await withTenant(spec);
    // The watch tells of the end before the answer to the write that made it.
    fixture.apiserver.watchDelayMs = 0;
    await remove();
    await fixture.pass(10_000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(fixture.news()).not.toContain('Warning Orphaned');
    expect(orphaned()).toBe(0);
  });

  test('of which nothing is seen to be left', async () => {
    const { docker, fixture, takeAway, remove, orphaned } = await withTenant();
    docker.workloads.clear();
    await takeAway();
    await remove();
    await fixture.pass(10_000);
    expect(orphaned()).toBe(0);
  });

  test('whose engine does not answer: nobody has seen what is left', async () => {
    const { docker, fixture, takeAway, remove, orphaned } = await withTenant();
    docker.failures.set('getStatus', new ComputeError('ProviderUnavailable', 'no answer'));
    await takeAway();
    await remove();
    await fixture.pass(10_000);
    expect(orphaned()).toBe(0);
    expect(fixture.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('that was applied again: it has what runs', async () => {
    const { docker, fixture, takeAway, remove, orphaned } = await withTenant();
    await takeAway();
    await remove();
    await fixture.create('acme');
    await fixture.pass(10_000);
    expect(orphaned()).toBe(0);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(changesIn(docker.calls).filter((call) => call.startsWith('destroy'))).toEqual([]);
  });
});
