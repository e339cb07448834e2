import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import {
  apiCall,
  docker,
  engineCall,
  expectAllWholeAndGone,
  expectWhole,
  residents,
  startKillBench,
  withVolume,
} from './kill-bench.ts';
import type { KillBench, Strike, When } from './kill-bench.ts';

const secretValue = 'v3ry-s3cr3t/value';

describe('a kill -9 of the operator while it creates a tenant, with 20 tenants present', () => {
  let bench: KillBench;
  beforeAll(async () => {
    bench = await startKillBench('kill-new');
  });
  afterEach(({ task }) => bench.disarm(task.result?.state === 'fail'));
  afterAll(() => bench?.close());

  const readyOf = (body: string): string | undefined => {
    const { status } = JSON.parse(body) as { status?: Pick<NonNullable<Tenant['status']>, 'conditions'> };
    return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  };

  test('a restart over ready tenants makes no write and one list call to the engine', async () => {
    await bench.operator().stop();
    const writesBefore = (await bench.ns.writes()).length;
    const callsBefore = bench.engineRequests.length;
    bench.start();
    await bench.untilPassed();
    expect((await bench.ns.writes()).length).toBe(writesBefore);
    // Whatever else a pass leads to has had the time that a whole creation takes.
    await bench.create('late', {}, {});
    await bench.untilPassed();
    const itsOwn = ['late', ...((await bench.containerIds()).get('late') ?? [])];
    const isResidents = (text: string): boolean => !itsOwn.some((word) => text.includes(word));
    const calls = bench.engineRequests.slice(callsBefore).filter(isResidents);
    // `late` leads to one more: nobody knows yet whether an earlier version gave it another id.
    expect(calls.filter((call) => /^GET \S*\/containers\/json/.test(call))).toHaveLength(2);
    // For whom a network is made, the body says: `late` needs one, too.
    const changes = calls.filter((call) => !/^GET |\/networks\/create$/.test(call));
    expect(changes).toEqual([]);
    const written = (await bench.ns.writes())
      .slice(writesBefore)
      .map(({ objectRef }) => objectRef?.name ?? '');
    expect(written.filter((name) => residents.includes(name))).toEqual([]);
    await bench.remove('late');
  });

  test('no URL sent to the engine holds the value of a secret', async () => {
    await bench.ns.putSecret('db', { password: secretValue });
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    await bench.ns.create('secretive', { containers: [{ name: 'app', image: bench.imageOf('1'), env }] });
    await bench.ns.untilReady('secretive');
    const urls = bench.engineRequests.map(decodeURIComponent).join('\n');
    expect(urls).toContain('/containers/create');
    expect(urls).not.toContain(secretValue);
    expect(bench.operator().output()).not.toContain(secretValue);
    await bench.remove('secretive');
  });

  const createSingle = (name: string) =>
    bench.create(name, docker({ env: { NEW: name } }), { env: [`NEW=${name}`] });
  const createFresh = async (name: string) => {
    await bench.pushed(name);
    await bench.create(name, docker({ image: bench.imageOf(name) }), { image: bench.imageOf(name) });
  };
  const createPair = (name: string) => bench.create(name, bench.pair(), {}, {});
  const createWithVolume = (name: string) => bench.create(name, withVolume, { volumes: ['/data'] });

  // Before a write all is as after the one before it: each is struck once, but the first of its kind.
  test.each<[When, string, Strike, (name: string) => Promise<void>]>([
    [
      'before',
      'the finalizer',
      apiCall(/^PATCH \S*\/tenants\//, (body) => /finalizers":\["/.test(body)),
      createSingle,
    ],
    [
      'after',
      'the finalizer',
      apiCall(/^PATCH \S*\/tenants\//, (body) => /finalizers":\["/.test(body)),
      createSingle,
    ],
    [
      'after',
      'the placement',
      apiCall(/^PATCH \S*\/status/, (body) => body.includes('"placement"')),
      createSingle,
    ],
    ['after', 'a network', engineCall(/^POST \S*\/networks\/create/), createPair],
    ['after', 'a volume', engineCall(/^POST \S*\/volumes\/create/), createWithVolume],
    ['after', 'a pull', engineCall(/^POST \S*\/images\/create/), createFresh],
    ['after', 'a create', engineCall(/^POST \S*\/containers\/create/), createSingle],
    ['after', 'a start', engineCall(/^POST \S*\/containers\/\w+\/start/), createSingle],
    ['after', 'an Event', apiCall(/^POST \S*\/events/, () => true), createSingle],
  ])('%s %s of a new tenant leaves it whole', async (when, what, at, provoke) => {
    const name = `new-${when}-${what.toLowerCase().replaceAll(/\W+/g, '-')}`;
    const before = await bench.containerIds();
    await bench.strike(at, when, () => provoke(name));
    await expectWhole(bench, name, before);
  });

  test.each<When>(['before', 'after'])(
    '%s the status that calls a new tenant Ready leaves it whole',
    async (when) => {
      const name = `new-${when}-ready`;
      const before = await bench.containerIds();
      const isIt = (body: string): boolean => readyOf(body) === 'True';
      const { url, body } = await bench.strike(apiCall(/^PATCH \S*\/status/, isIt), when, () =>
        createSingle(name),
      );
      expect(url).toContain(`/tenants/${name}/status`);
      expect(readyOf(body)).toBe('True');
      await expectWhole(bench, name, before);
    },
  );

  test('after all of it every tenant runs as its spec says, and goes without a trace', () =>
    expectAllWholeAndGone(bench));
});
