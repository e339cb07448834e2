import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { createListenerRoutes } from '../../../../../src/compute/providers/ecs/watch/listener-routes.ts';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import type { Observation } from '../../../../../src/compute/provider.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from '../ecs-fixture.ts';
import { memoryEcs } from '../memory-ecs.ts';
import type { MemoryEcs } from '../memory-ecs.ts';
import { openServicePolicy, targetGroup } from '../service-keys.ts';

const signal = new AbortController().signal;
const operator = settings({ subnets: ['subnet-1'] }, openServicePolicy);
const load_balancers = [{ target_group_arn: targetGroup('a'), container_name: 'app', container_port: 80 }];
const ports = [{ name: 'http', containerPort: 80, protocol: 'TCP' as const }];
const spec = (config: object = { load_balancers }) =>
  tenantSpec({ subnets: ['subnet-1'], ...config }, { containers: [containerSpec('app', { ports })] });
const route = { rule: 'r', host: 'lb.example', protocol: 'HTTPS', port: 443 };

const processOver = (ecs: MemoryEcs, over: Partial<MemoryEcs> = {}) =>
  drivenEcs({ ...ecs, ...over }, operator.block, operator.policy, context());

async function created(over: Partial<MemoryEcs> = {}) {
  const ecs = memoryEcs();
  ecs.routes.set(targetGroup('a'), [route]);
  const provider = processOver(ecs, over);
  await provider.provision(spec(), signal);
  return { ecs, provider, seen: await settled(provider, spec()) };
}

const urls = ({ compute }: Observation) => compute.endpoints?.map(({ url }) => url);

describe('a service behind a load balancer', () => {
  test('is shown by the URL of its listener, and not by the addresses of its tasks', async () => {
    const { seen, ecs } = await created();
    expect(urls(seen)).toEqual(['https://lb.example']);
    expect(ecs.calls.filter((call) => call.name === 'routesTo')).toHaveLength(1);
  });

  test('shows those of its tasks where no listener leads to it, or it has none', async () => {
    const { ecs } = await created();
    ecs.routes.clear();
    expect(urls(await settled(processOver(ecs), spec()))).toEqual(['http://10.0.0.7:80']);
    const plain = processOver(ecs);
    await plain.update(spec({}), signal);
    ecs.calls.length = 0;
    expect(urls(await settled(plain, spec({})))).toEqual(['http://10.0.0.7:80']);
    expect(ecs.calls.map((call) => call.name)).not.toContain('routesTo');
  });

  test('keeps the URL over a restart, which asks nobody about it', async () => {
    const { ecs, seen } = await created();
    const { undriven } = processOver(ecs);
    const desired = undriven.desired(spec());
    ecs.calls.length = 0;
    const again = await undriven.getStatus({ ...desired, shown: seen.compute }, desired, {
      fresh: false,
      signal,
    });
    expect(urls(again)).toEqual(['https://lb.example']);
    expect(ecs.calls.map((call) => call.name)).not.toContain('routesTo');
  });

  test('shows the URL no longer once no listener leads there, though nothing else is new', async () => {
    const { ecs, seen } = await created();
    const { undriven } = processOver(ecs);
    const desired = undriven.desired(spec());
    const shown = { ...seen.compute, lastTransitionTime: new Date(Date.now() + 3_600_000).toISOString() };
    const look = (fresh: boolean) => undriven.getStatus({ ...desired, shown }, desired, { fresh, signal });
    expect(urls(await look(false))).toEqual(['https://lb.example']);
    ecs.routes.clear();
    const watching = new AbortController();
    const told = Promise.withResolvers<void>();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const end = undriven.watch(() => told.resolve(), watching.signal);
      await vi.advanceTimersByTimeAsync(context().sweepIntervalMs * 2);
      await told.promise;
      watching.abort();
      await end;
    } finally {
      vi.useRealTimers();
    }
    expect(urls(await look(false))).toEqual(['http://10.0.0.7:80']);
  });

  test('is as well as ever where nobody may ask', async () => {
    const denied = new ComputeError('AccessDenied', 'Elastic Load Balancing denies it');
    const { seen } = await created({ routesTo: async () => Promise.reject(denied) });
    expect(seen.compute.health).toBe('healthy');
    expect(urls(seen)).toEqual(['http://10.0.0.7:80']);
  });
});

test('a look waits a moment for an answer that does not come, and the next ones do without', async () => {
  const said: { problem?: string }[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void said.push(JSON.parse(line) as object) });
  const routesTo = vi.fn<MemoryEcs['routesTo']>(async () => new Promise(() => undefined));
  const view = createServiceView(() => 0);
  let nowMs = 0;
  const routes = createListenerRoutes({ api: { routesTo }, view, logger, now: () => nowMs });
  const desired = processOver(memoryEcs()).desired(spec());
  const look = async () => routes.endpoints(desired, { fresh: true, signal });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const first = look();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await first).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
  expect(said.map(({ problem }) => problem)).toEqual([
    'no answer of Elastic Load Balancing within 3 seconds',
  ]);
  expect(await look()).toBeUndefined();
  expect(routesTo).toHaveBeenCalledTimes(1);
  routesTo.mockResolvedValue(new Map([[targetGroup('a'), [route]]]));
  nowMs = 300_000;
  expect(await look()).toMatchObject([{ url: 'https://lb.example' }]);
});

describe('a sweep over the listeners', () => {
  function watching() {
    const view = createServiceView(() => 0);
    const said: { problem?: string }[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void said.push(JSON.parse(line) as object) });
    const routesTo = vi.fn<MemoryEcs['routesTo']>(async () => new Map([[targetGroup('a'), [route]]]));
    let nowMs = 0;
    const routes = createListenerRoutes({ api: { routesTo }, view, logger, now: () => nowMs });
    const desired = processOver(memoryEcs()).desired(spec());
    view.store({ target: desired.target, tenantId: 'acme', service: {}, settled: true }, view.moment());
    const changed: unknown[] = [];
    const sweep = async () => {
      nowMs += 300_000;
      await routes.sweep((tenantId) => void changed.push(tenantId), signal);
    };
    return { view, said, routesTo, routes, desired, changed, sweep };
  }

  test('tells of those that are reached otherwise, and forgets those that are gone', async () => {
    const { routes, desired, sweep, changed, routesTo, view } = watching();
    expect(await routes.endpoints(desired, { fresh: false, signal })).toBeUndefined();
    await sweep();
    expect(changed).toEqual(['acme']);
    await sweep();
    expect(changed).toEqual(['acme']);
    routesTo.mockResolvedValue(new Map([[targetGroup('a'), [{ ...route, port: 8443 }]]]));
    await sweep();
    expect(changed).toEqual(['acme', 'acme']);
    expect(await routes.endpoints(desired, { fresh: false, signal })).toMatchObject([
      { url: 'https://lb.example:8443' },
    ]);
    view.forget(desired.target);
    await sweep();
    expect(routesTo).toHaveBeenCalledTimes(3);
  });

  test('says once what could not be asked for, and leaves what is known', async () => {
    const { routes, desired, sweep, said, routesTo } = watching();
    await routes.endpoints(desired, { fresh: true, signal });
    routesTo.mockRejectedValue(new ComputeError('AccessDenied', 'it is denied'));
    await sweep();
    await sweep();
    expect(said.map(({ problem }) => problem)).toEqual(['it is denied']);
    expect(await routes.endpoints(desired, { fresh: false, signal })).toMatchObject([
      { url: 'https://lb.example' },
    ]);
  });
});
