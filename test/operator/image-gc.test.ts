import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { fencedProvider } from '../../src/compute/fenced-provider.ts';
import type { ImageCollection } from '../../src/compute/image-collection.ts';
import { measuredProvider } from '../../src/compute/measured-provider.ts';
import { allows } from '../../src/compute/permit.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import type { Refusal } from '../../src/kube/cache/reflector.ts';
import type { Permit } from '../../src/compute/permit.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { collectImages } from '../../src/operator/image-gc.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';
import { recordingLogger } from '../kube/recording-logger.ts';

const kept = { others: 3, used: 2, wanted: 0, rollback: 1, grace: 0, due: 0 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface State {
  synced: boolean;
  mayAct: boolean;
  refusals: readonly Refusal[];
  tenants: readonly unknown[];
}

/** An operator whose engines answer as `collect` does, as it wraps them, and looks each minute. */
function operator(
  collect: (
    permit: Permit,
    domain: string,
    asked?: ReadonlySet<string>,
  ) => Promise<ImageCollection | undefined>,
) {
  const state: State = { synced: true, mayAct: true, refusals: [], tenants: [] };
  const docker = scriptedProvider('docker').enabled;
  const bare = {
    ...docker.provider,
    domains: ['', 'edge-1'],
    collectImages: async (permit: Permit, _signal: AbortSignal, domain = '', asked?: ReadonlySet<string>) =>
      collect(permit, domain, asked),
  };
  const measured = measuredProvider(bare, () => undefined);
  const provider = fencedProvider(measured, () => state.mayAct);
  const ecs = scriptedProvider('ecs').enabled;
  const metrics = createMetrics();
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const known = {
    hasSynced: () => state.synced,
    refusals: () => state.refusals,
    values: () => state.tenants as Tenant[],
  };
  const providers = new Map([
    ['docker', { ...docker, provider }],
    ['ecs', ecs],
  ]);
  const running = collectImages({ providers, known, intervalMs: 60_000, metrics, logger }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const round = async () => void (await vi.advanceTimersByTimeAsync(60_000));
  return { state, metrics, lines, round, text: () => metrics.registry.metrics() };
}

test('what each engine tells is a metric, and what was removed adds up', async () => {
  const permits: Permit[] = [];
  const { round, text } = operator(async (permit, domain) => {
    permits.push(permit);
    return { domain, kept, removed: 1, bytes: 500 };
  });
  await round();
  await round();
  const told = await text();
  expect(told).toContain('landlord_docker_images_kept{engine="",why="others"} 3\n');
  expect(told).toContain('landlord_docker_images_kept{engine="edge-1",why="rollback"} 1\n');
  expect(told).toContain('landlord_docker_images_removed_total{engine="edge-1"} 2\n');
  expect(told).toContain('landlord_docker_images_removed_bytes_total{engine=""} 1000\n');
  expect(permits.every((permit) => allows(permit, 'live') && !allows(permit, 'replace'))).toBe(true);
});

test('nothing is removed before all Tenants are known, nor without the lease', async () => {
  const collect = vi.fn<() => Promise<undefined>>(async () => undefined);
  const { state, round } = operator(collect);
  state.synced = false;
  await round();
  state.synced = true;
  state.refusals = [{ namespace: 'team-b' } as unknown as Refusal];
  await round();
  state.refusals = [];
  state.mayAct = false;
  await round();
  expect(collect).not.toHaveBeenCalled();
  state.mayAct = true;
  await round();
  expect(collect).toHaveBeenCalledTimes(2);
});

test('each engine is told what all Tenants ask for, whatever they run on and whether or not they are valid', async () => {
  const collect = vi.fn<(...told: unknown[]) => Promise<undefined>>(async () => undefined);
  const { state, round } = operator(collect);
  const digest = `sha256:${'a'.repeat(64)}`;
  state.tenants = [
    { spec: { suspend: true, containers: [{ name: 'app', image: 'app:1' }, { image: 7 }] } },
    { spec: { computeConfig: { docker: { image: 'old:1', containers: [{ image: 'more:1' }] } } } },
    { spec: null, status: { images: { digests: [{ image: 'app:2', digest }] } } },
  ];
  await round();
  const asked = new Set(['app:1', 'old:1', 'more:1', `app:2@${digest}`]);
  expect(collect.mock.calls.map(([, domain, told]) => [domain, told])).toEqual([
    ['', asked],
    ['edge-1', asked],
  ]);
});

test('an engine that does not answer holds up no other, and a defect is told of', async () => {
  let failure: Error = new ComputeError('ProviderUnavailable', 'away');
  const { round, text, lines } = operator(async (_permit, domain) => {
    if (domain === '') throw failure;
    return { domain, kept, removed: 0, bytes: 0 };
  });
  await round();
  expect(await text()).toContain('landlord_docker_images_kept{engine="edge-1",why="used"} 2\n');
  expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  failure = new TypeError('a defect');
  await round();
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});
