import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import type { TenantStatus } from '../../src/api/status.ts';
import type { OwnedResource } from '../../src/compute/provider.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { recordingLogger } from '../kube/recording-logger.ts';
import { scriptedProvider } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';
import { statusOf, tenantWith } from './tenant-fixture.ts';

const intervalMs = 60_000;

const owned = (name: string): OwnedResource => ({
  tenantId: `team-a-${name}`,
  namespace: 'team-a',
  name,
  resource: `container landlord-tenant-team-a-${name}`,
  isData: false,
  placement: { provider: 'docker' },
});

/**
 * The report over these providers in a cluster whose Tenants are team-a/acme, which this operator watches, and
 * team-a/foreign, which another one does; on a clock that the test moves.
 */
function startReport(...providers: ScriptedProvider[]) {
  vi.useFakeTimers();
  const { logger, lines } = recordingLogger();
  const counts: string[] = [];
  const stop = new AbortController();
  const cluster = {
    synced: true,
    tenants: new Set(['team-a/acme', 'team-a/foreign']),
    refusal: 0,
    acme: tenantWith(),
  };
  const asked: string[] = [];
  const running = reportOrphans(
    {
      providers: new Map(providers.map(({ enabled }) => [enabled.definition.name, enabled])),
      known: {
        hasSynced: () => cluster.synced,
        get: (namespace, name) =>
          cluster.tenants.has(`${namespace}/${name}`) && name === 'acme' ? cluster.acme : undefined,
      },
      tenants: {
        get: async (name, namespace) => {
          asked.push(name);
          if (cluster.refusal !== 0) throw new KubeApiError('GET tenants', cluster.refusal, {});
          return cluster.tenants.has(`${namespace}/${name}`) ? tenantWith() : undefined;
        },
      },
      intervalMs,
      logger,
      onCount: (provider, count) => void counts.push(`${provider} ${count}`),
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
    vi.useRealTimers();
  });
  const warnings = (): number => lines.filter(({ level }) => level === 'warn').length;
  const round = () => vi.advanceTimersByTimeAsync(intervalMs);
  return { lines, counts, stop, running, round, cluster, asked, warnings };
}

describe('the report of orphans', () => {
  test('tells of a volume that outlived its Tenant, as kept and not as an orphan', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [{ ...owned('lost'), resource: 'volume data', isData: true }];
    const { counts, lines, round } = startReport(docker);
    await round();
    await round();
    expect(counts).toEqual(['docker 0', 'docker 0']);
    expect(lines.map(({ level, message }) => [level, message.slice(0, 6)])).toEqual([['info', 'kept: ']]);
  });

  test('tells each one once, and their number in each round', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('acme'), owned('lost')];
    const { lines, counts, round } = startReport(docker);
    expect(docker.calls).toEqual([]);
    await round();
    await round();
    expect(counts).toEqual(['docker 1', 'docker 1']);
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: {
          provider: 'docker',
          resource: 'container landlord-tenant-team-a-lost',
          tenantId: 'team-a-lost',
          tenant: 'team-a/lost',
        },
        message: expect.stringMatching(/^orphan: there is no such Tenant/),
      },
    ]);
    docker.owned = [owned('acme')];
    await round();
    expect(counts.at(-1)).toBe('docker 0');
  });

  test('removes nothing', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('lost')];
    const { round } = startReport(docker);
    await round();
    expect(new Set(docker.calls.map(({ operation }) => operation))).toEqual(new Set(['list']));
  });

  test('goes on with the next provider where one can not be reached, and says nothing of that one', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    docker.failures.set('list', new ComputeError('ProviderUnavailable', 'no answer'));
    ecs.owned = [owned('lost')];
    const { lines, counts, round } = startReport(docker, ecs);
    await round();
    expect(counts).toEqual(['ecs 1']);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
    docker.failures.clear();
    await round();
    expect(counts).toEqual(['ecs 1', 'docker 0', 'ecs 1']);
  });

  test('looks at each domain of a provider by itself; of one that does not answer, what was found last still counts', async () => {
    const docker = scriptedProvider('docker');
    const silent = new Set(['edge']);
    Object.assign(docker.enabled.provider, {
      domains: ['', 'edge'],
      list: async (_signal: AbortSignal, domain = 'all') => {
        if (silent.has(domain)) throw new ComputeError('ProviderUnavailable', 'no answer');
        return [owned('lost')];
      },
    });
    const { lines, counts, round, warnings } = startReport(docker);
    await round();
    expect(counts).toEqual(['docker 1']);
    silent.clear();
    await round();
    expect(counts.slice(1)).toEqual(['docker 1', 'docker 2']);
    expect(lines.map(({ fields }) => fields['domain'])).toEqual([undefined, 'edge']);
    silent.add('edge');
    await round();
    silent.clear();
    await round();
    expect(counts.at(-1)).toBe('docker 2');
    expect(warnings()).toBe(2);
  });

  test('logs a defect of a provider and goes on', async () => {
    const docker = scriptedProvider('docker');
    docker.failures.set('list', new TypeError('x is not a function'));
    const { lines, counts, round } = startReport(docker);
    await round();
    await round();
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error']);
    expect(counts).toEqual([]);
  });

  test('ends with its signal, in the middle of a wait too', async () => {
    const docker = scriptedProvider('docker');
    const { stop, running } = startReport(docker);
    stop.abort();
    await running;
    expect(docker.calls).toEqual([]);
  });

  test('says nothing before the Tenants are known', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('lost')];
    const { counts, round, cluster, warnings } = startReport(docker);
    cluster.synced = false;
    await round();
    expect({ counts, warnings: warnings() }).toEqual({ counts: [], warnings: 0 });
    cluster.synced = true;
    await round();
    expect({ counts, warnings: warnings() }).toEqual({ counts: ['docker 1'], warnings: 1 });
  });

  test('looks at a Tenant that this operator does not watch, and at none that it does', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('acme'), owned('foreign')];
    const { counts, round, asked, warnings } = startReport(docker);
    await round();
    expect(asked).toEqual(['foreign']);
    expect({ counts, warnings: warnings() }).toEqual({ counts: ['docker 0'], warnings: 0 });
  });

  test.each([403, 503])('says nothing where that look is answered with %s', async (status) => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('lost')];
    const { counts, round, cluster, warnings } = startReport(docker);
    cluster.refusal = status;
    await round();
    expect({ counts, warnings: warnings() }).toEqual({ counts: ['docker 0'], warnings: 0 });
  });

  test('goes on counting one whose Tenant can not be looked at for a while, and tells it once', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('lost')];
    const { counts, round, cluster, warnings } = startReport(docker);
    await round();
    cluster.refusal = 503;
    await round();
    cluster.refusal = 0;
    await round();
    expect({ counts, warnings: warnings() }).toEqual({
      counts: ['docker 1', 'docker 1', 'docker 1'],
      warnings: 1,
    });
  });

  test('tells again of one that was taken back and is orphaned again', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('lost')];
    const { round, cluster, warnings } = startReport(docker);
    await round();
    cluster.tenants.add('team-a/lost');
    await round();
    cluster.tenants.delete('team-a/lost');
    await round();
    expect(warnings()).toBe(2);
  });

  test('says nothing of what went with its Tenant between two looks', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned('going')];
    const { counts, round, cluster, warnings } = startReport(docker);
    cluster.tenants = new Proxy(cluster.tenants, {
      get(target, key) {
        // As the Tenant is looked for, all of it is gone.
        docker.owned = [];
        return Reflect.get(target, key, target).bind(target) as unknown;
      },
    });
    await round();
    expect({ counts, warnings: warnings() }).toEqual({ counts: ['docker 0'], warnings: 0 });
  });

  describe('of what a Tenant has where its status does not lead', () => {
    const elsewhere = (status: Partial<TenantStatus> = {}, metadata = {}) =>
      tenantWith(
        statusOf('True', 'Running', { placement: { provider: 'ecs', service: 'x' }, ...status }),
        metadata,
      );

    test('tells once, and only when two rounds have found it', async () => {
      const docker = scriptedProvider('docker');
      docker.owned = [owned('acme')];
      const { counts, lines, round, cluster } = startReport(docker);
      cluster.acme = elsewhere();
      for (let rounds = 0; rounds < 4; rounds += 1) await round();
      expect(counts).toEqual(['docker 0', 'docker 1', 'docker 1', 'docker 1']);
      expect(lines.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^orphan: the Tenant of that name runs elsewhere/),
      ]);
      cluster.acme = elsewhere({ placement: { provider: 'docker' } });
      await round();
      expect(counts.at(-1)).toBe('docker 0');
    });

    test('forgets what one round in between has not found', async () => {
      const docker = scriptedProvider('docker');
      docker.owned = [owned('acme')];
      const { round, cluster, warnings } = startReport(docker);
      cluster.acme = elsewhere();
      await round();
      cluster.acme = elsewhere({ placement: { provider: 'docker' } });
      await round();
      cluster.acme = elsewhere();
      await round();
      expect(warnings()).toBe(0);
    });

    const left = { provider: 'docker', engineId: 'A' };
    test.each([
      ['a place that is still to be emptied', elsewhere({ previousPlacements: [left] })],
      [
        'a place that an earlier version recorded with less',
        elsewhere({ previousPlacements: [{ provider: 'docker' }] }),
      ],
      ['one that is being deleted', elsewhere({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
      ['one that has no place yet', tenantWith()],
    ])('says nothing of %s', async (_of, acme) => {
      const docker = scriptedProvider('docker');
      docker.owned = [{ ...owned('acme'), placement: left }];
      const { counts, round, cluster } = startReport(docker);
      cluster.acme = acme;
      await round();
      await round();
      expect(counts).toEqual(['docker 0', 'docker 0']);
    });

    test('says nothing of its volumes, which the status names', async () => {
      const docker = scriptedProvider('docker');
      docker.owned = [{ ...owned('acme'), isData: true }];
      const { lines, round, cluster } = startReport(docker);
      cluster.acme = elsewhere();
      await round();
      await round();
      expect(lines).toEqual([]);
    });
  });
});
