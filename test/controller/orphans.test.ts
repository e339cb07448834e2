import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import type { OwnedResource } from '../../src/compute/provider.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { recordingLogger } from '../kube/recording-logger.ts';
import { scriptedProvider } from './scripted-provider.ts';
import type { ScriptedProvider } from './scripted-provider.ts';
import { tenantWith } from './tenant-fixture.ts';

const intervalMs = 60_000;

const owned = (name: string): OwnedResource => ({
  tenantId: `team-a-${name}`,
  namespace: 'team-a',
  name,
  resource: `container landlord-tenant-team-a-${name}`,
  isData: false,
  placement: { provider: 'docker' },
});

/** The report over these providers in a cluster whose only Tenant is team-a/acme, on a clock that the test moves. */
function startReport(...providers: ScriptedProvider[]) {
  vi.useFakeTimers();
  const { logger, lines } = recordingLogger();
  const counts: string[] = [];
  const stop = new AbortController();
  const running = reportOrphans(
    {
      providers: new Map(providers.map(({ enabled }) => [enabled.definition.name, enabled])),
      tenantOf: (namespace, name) => (namespace === 'team-a' && name === 'acme' ? tenantWith() : undefined),
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
  return { lines, counts, stop, running, round: () => vi.advanceTimersByTimeAsync(intervalMs) };
}

describe('the report of orphans', () => {
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
    expect(docker.calls.map(({ operation }) => operation)).toEqual(['list']);
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
});
