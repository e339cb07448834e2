import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { apiVersion, kind } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { allows } from '../../src/compute/permit.ts';
import type { Permit } from '../../src/compute/permit.ts';
import type { OwnedResource, TenantPlace } from '../../src/compute/provider.ts';
import { tenantsResource } from '../../src/controller/kube-resources.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { createReaper } from '../../src/controller/steps/reap.ts';
import type { ReaperOptions } from '../../src/controller/steps/reap.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import { changesIn, scriptedProvider } from '../controller/scripted-provider.ts';
import { recordingLogger } from '../kube/recording-logger.ts';

const hour = 3_600_000;

const owned = (namespace: string, name: string, more: Partial<OwnedResource> = {}): OwnedResource => ({
  tenantId: `${namespace}-${name}`,
  namespace,
  name,
  resource: `container ${namespace}-${name}`,
  isData: false,
  placement: { provider: 'docker' },
  ...more,
});

/** An operator's reports of orphans, each hour, with a reaper of 24 hours; team-b may leave things behind. */
function startReports(options: Partial<ReaperOptions> = {}, domains?: readonly string[]) {
  vi.useFakeTimers();
  const docker = scriptedProvider('docker');
  docker.owned = [owned('team-a', 'acme')];
  Object.assign(docker.enabled.provider, { domains });
  const apiserver = createMemoryApiserver();
  const asOperator = resource<Tenant>(apiserver.clientOf('operator'), tenantsResource);
  const asUser = resource<Tenant>(apiserver.clientOf('user'), tenantsResource);
  const { logger, lines } = recordingLogger();
  const events: string[] = [];
  const due: number[] = [];
  const reaped: string[] = [];
  const reaper = createReaper({
    gracePeriodMs: 24 * hour,
    dryRun: false,
    mayRetain: (namespace) => namespace === 'team-b',
    tenants: asOperator,
    known: () => 1,
    events: {
      emit: ({ reason, action, regarding }) =>
        void events.push(`${reason} ${action} ${regarding.namespace}/${regarding.name}`),
    },
    logger,
    now: () => Date.now(),
    onDue: (_provider, places) => void due.push(places),
    onReaped: (provider) => void reaped.push(provider),
    ...options,
  });
  const stop = new AbortController();
  const running = reportOrphans(
    {
      providers: new Map([['docker', docker.enabled]]),
      known: { hasSynced: () => true, get: () => undefined },
      tenants: asOperator,
      intervalMs: hour,
      logger,
      onCount: () => undefined,
      reaper,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
    vi.useRealTimers();
  });
  return {
    docker,
    apiserver,
    lines,
    events,
    due,
    reaped,
    hours: (count: number) => vi.advanceTimersByTimeAsync(count * hour),
    create: (name: string) =>
      asUser.create({
        apiVersion,
        kind,
        metadata: { name, namespace: 'team-a', labels: { of: 'another operator' } },
        spec: {},
      }),
    destroyed: () => changesIn(docker.calls),
  };
}

describe('the reaper', () => {
  test('removes what has been without its Tenant for the whole grace period, and not before', async () => {
    const { destroyed, hours, events, reaped, due } = startReports();
    await hours(24);
    expect(destroyed()).toEqual([]);
    await hours(1);
    expect(destroyed()).toEqual(['destroy team-a-acme@docker']);
    expect(events).toEqual(['Orphaned Reap team-a/acme']);
    expect(reaped).toEqual(['docker']);
    expect(due.slice(-2)).toEqual([0, 1]);
  });

  test('removes nothing while there is no Tenant at all: a CRD that was made anew looks like that', async () => {
    let tenants = 0;
    const { destroyed, hours, due } = startReports({ known: () => tenants });
    await hours(72);
    tenants = 1;
    await hours(24);
    expect(destroyed()).toEqual([]);
    expect(new Set(due)).toEqual(new Set([0]));
    await hours(1);
    expect(destroyed()).toEqual(['destroy team-a-acme@docker']);
  });

  test('takes nobody for gone while the CRD is, and counts from when there is one again', async () => {
    const { apiserver, destroyed, hours, lines } = startReports();
    apiserver.removeCrd();
    await hours(72);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
    apiserver.installCrd();
    await hours(24);
    expect(destroyed()).toEqual([]);
    await hours(1);
    expect(destroyed()).toEqual(['destroy team-a-acme@docker']);
  });

  test('begins anew with the time of all where every Tenant went', async () => {
    let tenants = 1;
    const { destroyed, hours } = startReports({ known: () => tenants });
    await hours(20);
    tenants = 0;
    await hours(1);
    tenants = 1;
    await hours(20);
    expect(destroyed()).toEqual([]);
  });

  test('may end what runs, and may lose no data', async () => {
    const { docker, hours } = startReports();
    const permits: Permit[] = [];
    const { provider } = docker.enabled;
    vi.spyOn(provider, 'destroy').mockImplementation(async (_place: TenantPlace, permit: Permit) => {
      permits.push(permit);
      return { outcome: 'gone', message: 'gone' };
    });
    await hours(25);
    expect(permits.map((permit) => [allows(permit, 'outage'), allows(permit, 'data-loss')])).toEqual([
      [true, false],
    ]);
  });

  test('has nothing to do with volumes', async () => {
    const { docker, destroyed, hours } = startReports();
    docker.owned = [owned('team-a', 'acme', { isData: true, resource: 'volume data' })];
    await hours(72);
    expect(destroyed()).toEqual([]);
  });

  test('touches nothing where Tenants may leave things behind on purpose', async () => {
    const { docker, destroyed, hours } = startReports();
    docker.owned = [owned('team-b', 'acme')];
    await hours(72);
    expect(destroyed()).toEqual([]);
  });

  test('touches nothing where nobody can tell whether they may', async () => {
    const { destroyed, hours } = startReports({ mayRetain: () => undefined });
    await hours(72);
    expect(destroyed()).toEqual([]);
  });

  test('in a dry run tells once what would go, and counts it', async () => {
    const { destroyed, hours, events, lines, due } = startReports({ dryRun: true });
    await hours(72);
    expect(destroyed()).toEqual([]);
    expect(events).toEqual(['Orphaned Reap team-a/acme']);
    expect(lines.filter(({ message }) => message.includes('would be removed now'))).toHaveLength(1);
    expect(due.at(-1)).toBe(1);
  });

  test('leaves what a Tenant has that is only not for this operator', async () => {
    const { destroyed, hours, create } = startReports();
    await create('acme');
    await hours(72);
    expect(destroyed()).toEqual([]);
  });

  test('asks right before: a Tenant that came back in that moment keeps what runs', async () => {
    const { apiserver, destroyed, hours, create } = startReports();
    await hours(24);
    let isBack = false;
    // The look of the report saw none; the one of the reaper does.
    apiserver.intercept = async ({ user, query }) => {
      if (user !== 'operator' || query['fieldSelector'] === undefined || isBack) return;
      isBack = true;
      await create('acme');
    };
    await hours(1);
    expect(isBack).toBe(true);
    expect(destroyed()).toEqual([]);
  });

  test('counts the grace period anew for what was taken back meanwhile', async () => {
    const { docker, destroyed, hours } = startReports();
    await hours(23);
    const dangling = docker.owned;
    docker.owned = [];
    await hours(1);
    docker.owned = dangling;
    await hours(24);
    expect(destroyed()).toEqual([]);
    await hours(1);
    expect(destroyed()).toHaveLength(1);
  });

  test.each([403, 404, 500, 503])(
    'does nothing where the list of Tenants is answered with %i',
    async (status) => {
      const { apiserver, destroyed, hours, lines } = startReports();
      apiserver.intercept = ({ user, query }) => {
        if (user !== 'operator' || query['fieldSelector'] === undefined) return;
        throw new KubeApiError('LIST tenants', status, {});
      };
      await hours(72);
      expect(destroyed()).toEqual([]);
      expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  test.each([
    ['an engine that refuses', new ComputeError('DestroyFailed', 'in use')],
    ['a defect', new TypeError('x is not a function')],
  ])('goes on with the others after %s, and tries again', async (_what, error) => {
    const { docker, destroyed, hours, reaped } = startReports();
    docker.owned = [owned('team-a', 'acme'), owned('team-a', 'other')];
    docker.failures.set('destroy', error);
    await hours(25);
    expect(destroyed()).toHaveLength(2);
    expect(reaped).toEqual([]);
    docker.failures.clear();
    await hours(1);
    expect(reaped).toHaveLength(2);
  });

  test('counts the time in each domain by itself, also where one does not answer in between', async () => {
    const { docker, hours, reaped, due } = startReports({}, ['edge', '']);
    const answers = { edge: true };
    Object.assign(docker.enabled.provider, {
      list: async (_signal: AbortSignal, domain?: string) => {
        if (domain !== 'edge') return [];
        if (!answers.edge) throw new ComputeError('ProviderUnavailable', 'no answer');
        return docker.owned;
      },
    });
    await hours(10);
    answers.edge = false;
    await hours(10);
    answers.edge = true;
    await hours(5);
    expect(reaped).toEqual(['docker']);
    expect(Math.max(...due)).toBe(1);
  });

  test('takes one step a round, for each place once, however much is there', async () => {
    const { docker, destroyed, hours, reaped, events } = startReports();
    docker.owned = [owned('team-a', 'acme'), owned('team-a', 'acme', { resource: 'network acme' })];
    docker.destroys.push({ outcome: 'in_progress', message: 'stopping' });
    await hours(25);
    expect({ destroyed: destroyed().length, reaped, events }).toEqual({
      destroyed: 1,
      reaped: [],
      events: [],
    });
    await hours(1);
    expect({ destroyed: destroyed().length, reaped: reaped.length }).toEqual({ destroyed: 2, reaped: 1 });
  });
});
