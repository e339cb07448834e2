import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { EnabledProvider } from '../../src/compute/enabled-providers.ts';
import type { OwnedResource, Provider } from '../../src/compute/provider.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { tenant } from '../demo/tenant.ts';
import { recordingLogger } from '../kube/recording-logger.ts';

// Fake timers leave this module alone.
vi.mock('node:timers/promises', async () => ({
  setTimeout: (await import('./virtual-timeout.ts')).virtualTimeout,
}));

const intervalMs = 300_000;

function owned(name: string, kind = 'container'): OwnedResource {
  return { tenantId: `team-a-${name}`, namespace: 'team-a', name, resource: `${kind} landlord-${name}` };
}

interface Engine {
  /** What it holds, or why it can't be asked. */
  holds: readonly OwnedResource[] | Error;
  /** Operations other than `list`. */
  readonly touched: string[];
  rounds: number;
}

function start(engines: Readonly<Record<string, Engine>>) {
  const tenants = new Map<string, Tenant>();
  const counts: [string, number][] = [];
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const ended = reportOrphans(
    {
      providers: new Map(Object.entries(engines).map(([name, engine]) => [name, enabled(name, engine)])),
      tenantOf: (namespace, name) => tenants.get(`${namespace}/${name}`),
      intervalMs,
      logger,
      onCount: (provider, orphans) => counts.push([provider, orphans]),
    },
    stop.signal,
  );
  return {
    counts,
    lines,
    stop: () => stop.abort(),
    ended,
    claim: (name: string) => tenants.set(`team-a/${name}`, tenant(name)),
    release: (name: string) => tenants.delete(`team-a/${name}`),
    reported: () => lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['resource']),
    rounds: (count = 1) => vi.advanceTimersByTimeAsync(count * intervalMs),
  };
}

function engine(...holds: OwnedResource[]): Engine {
  return { holds, touched: [], rounds: 0 };
}

function enabled(name: string, engine: Engine): EnabledProvider {
  const [definition] = providerDefinitions;
  if (definition === undefined) throw new Error('there are no providers');
  const list = async (): Promise<readonly OwnedResource[]> => {
    engine.rounds += 1;
    if (engine.holds instanceof Error) throw engine.holds;
    return engine.holds;
  };
  const touch = (operation: string) => (): never => {
    engine.touched.push(operation);
    throw new Error(`${operation} is none of its business`);
  };
  const provider = new Proxy({} as Provider, {
    get: (_target, operation) => (operation === 'list' ? list : touch(String(operation))),
  });
  return { definition: { ...definition, name }, provider, block: {} };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the report of orphans', () => {
  test('looks once per interval, and not before the first has passed', async () => {
    const docker = engine();
    const report = start({ docker });
    await vi.advanceTimersByTimeAsync(intervalMs - 1);
    expect(docker.rounds).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(docker.rounds).toBe(1);
    await report.rounds(3);
    expect(docker.rounds).toBe(4);
  });

  test('names each orphan once, with what takes it back, and no resource of a Tenant that is there', async () => {
    const docker = engine(owned('lost'), owned('lost', 'volume'), owned('kept'));
    const report = start({ docker });
    report.claim('kept');
    await report.rounds(3);
    expect(report.reported()).toEqual(['container landlord-lost', 'volume landlord-lost']);
    expect(report.lines[0]).toMatchObject({
      level: 'warn',
      fields: { provider: 'docker', tenantId: 'team-a-lost', tenant: 'team-a/lost' },
      message: expect.stringMatching(/^orphan: .*apply it again/),
    });
    docker.holds = [owned('lost'), owned('later')];
    await report.rounds();
    expect(report.reported().slice(2)).toEqual(['container landlord-later']);
  });

  test('counts per provider and anew in each round: what was taken back is no orphan any more', async () => {
    const report = start({ docker: engine(owned('a'), owned('b')), ecs: engine(owned('c', 'service')) });
    await report.rounds();
    report.claim('a');
    await report.rounds();
    report.claim('c');
    await report.rounds();
    expect(report.counts).toEqual([
      ['docker', 2],
      ['ecs', 1],
      ['docker', 1],
      ['ecs', 1],
      ['docker', 1],
      ['ecs', 0],
    ]);
  });

  test('reports the same name on two providers for each of them', async () => {
    const report = start({ docker: engine(owned('a')), other: engine(owned('a')) });
    await report.rounds();
    expect(report.lines.map(({ fields }) => fields['provider'])).toEqual(['docker', 'other']);
  });

  test('leaves the round of a provider that can not be reached out, and no other', async () => {
    const docker = engine(owned('a'));
    const ecs = engine(owned('b', 'service'));
    docker.holds = new ComputeError('ProviderUnavailable', 'is dockerd running?');
    const report = start({ docker, ecs });
    await report.rounds();
    expect(report.counts).toEqual([['ecs', 1]]);
    docker.holds = [owned('a')];
    await report.rounds();
    expect(report.counts.slice(1)).toEqual([
      ['docker', 1],
      ['ecs', 1],
    ]);
    expect(report.reported()).toEqual(['service landlord-b', 'container landlord-a']);
    expect(report.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('goes on after a defect of a provider, which is an error in the log', async () => {
    const docker = engine();
    docker.holds = new TypeError('undefined is not a function');
    const report = start({ docker });
    await report.rounds(2);
    expect(docker.rounds).toBe(2);
    expect(report.lines.map(({ level, fields }) => [level, fields['provider']])).toEqual([
      ['error', 'docker'],
      ['error', 'docker'],
    ]);
    expect(report.counts).toEqual([]);
  });

  test('asks the engines for nothing but the list: it never removes', async () => {
    const docker = engine(owned('lost'));
    const report = start({ docker });
    await report.rounds(2);
    report.stop();
    await report.ended;
    expect(docker.rounds).toBe(2);
    expect(docker.touched).toEqual([]);
  });

  test('ends with its signal, in the middle of an interval, and looks no more', async () => {
    const docker = engine(owned('lost'));
    const report = start({ docker });
    await vi.advanceTimersByTimeAsync(intervalMs / 2);
    report.stop();
    await report.ended;
    await report.rounds(2);
    expect(docker.rounds).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
