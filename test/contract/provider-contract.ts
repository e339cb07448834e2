import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { anyPermit } from '../compute/permits.ts';
import type {
  Destination,
  Observation,
  Provider,
  ProviderDefinition,
  StepResult,
} from '../../src/compute/provider.ts';
import type { TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';
import { driven as drive } from '../compute/driven-provider.ts';
import type { DrivenProvider } from '../compute/driven-provider.ts';

/** What every provider must do, whatever its engine. A new provider passes this suite before anything else. */

export interface ContractHarness {
  /** A new provider object of this instance, as a restarted operator would build it, on the one engine. */
  provider(instance?: string): Provider;
  /** Two desired states of a tenant that need a rollout from one to the other, and come up by themselves. */
  spec(tenantId: string, state: 'first' | 'second'): TenantComputeSpec;
  /**
   * How many calls that change something the engine has got so far, from all provider objects. Undefined: there is no
   * engine, and a thing that is done again shows in the status (it starts anew).
   */
  readonly writes: (() => number) | undefined;
  /**
   * Puts something that is not ours where the tenant's would go. Returns a look at it that tells it untouched.
   * Undefined: nothing else can be there.
   */
  readonly occupy: ((tenantId: string) => Promise<() => Promise<unknown>>) | undefined;
  /** A provider whose engine never answers, but ends a call whose signal aborts. Undefined: none can be had. */
  readonly silent: (() => Provider) | undefined;
  /** Removes whatever the tests left. */
  close(): Promise<void>;
}

/** One way to run a provider, in memory as a rule: `contract-harness.ts` of each provider's tests exports some. */
export interface ContractCase {
  readonly name: string;
  readonly makeHarness: () => Promise<ContractHarness>;
}

/** An operation that waits for the engine to converge breaks the contract; tests give up after this. */
const convergeMs = 30_000;
const pollMs = 50;

export function describeProviderContract(
  name: string,
  { durable }: Pick<ProviderDefinition, 'durable'>,
  makeHarness: () => Promise<ContractHarness>,
): void {
  describe(`${name} keeps the provider contract`, () => {
    let harness: ContractHarness;
    const signal = new AbortController().signal;
    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(() => harness.close());

    it('a tenant that was never provisioned is not there, and destroying it is done at once', async () => {
      const provider = harness.provider();
      const at = provider.desired(harness.spec('never', 'first'));
      const seen = await provider.getStatus(at, undefined, { fresh: false, signal });
      expect(seen).toMatchObject({ exists: false, changes: [] });
      expect((await provider.destroy(at, anyPermit, signal)).outcome).toBe('gone');
      expect((await provider.destroy(at, anyPermit, signal)).outcome).toBe('gone');
    });

    it('a tenant goes from nothing over two desired states to nothing', async () => {
      const built = harness.provider();
      const provider = drive(built);
      const [first, second] = [harness.spec('life', 'first'), harness.spec('life', 'second')];
      await settle(() => provider.provision(first, signal));
      await healthy(provider, first);
      expect(built.desired(second).specHash).not.toBe(built.desired(first).specHash);
      expect((await lookClosely(provider, second)).changes).not.toEqual([]);
      await settle(() => provider.update(second, signal));
      await healthy(provider, second);
      expect((await lookClosely(provider, second)).changes).toEqual([]);
      expect((await lookClosely(provider, first)).changes).not.toEqual([]);
      await settle(() => provider.destroy(second, signal));
      expect((await provider.getStatus(second, { fresh: false, signal })).exists).toBe(false);
    });

    it('doing a thing again once it is done changes nothing', async () => {
      const provider = drive(harness.provider());
      const spec = harness.spec('again', 'first');
      await settle(() => provider.provision(spec, signal));
      await healthy(provider, spec);
      const before = await lookClosely(provider, spec);
      const writes = harness.writes?.();
      expect(writes).not.toBe(0);
      expect((await provider.provision(spec, signal)).outcome).toBe('done');
      expect((await provider.update(spec, signal)).outcome).toBe('done');
      expect((await provider.hold(spec, signal)).outcome).toBe('done');
      expect(harness.writes?.()).toBe(writes);
      expect(await lookClosely(provider, spec)).toEqual(before);
      await settle(() => provider.destroy(spec, signal));
    });

    it('two provisionings at once make what one makes', async () => {
      const provider = drive(harness.provider());
      const [once, twice] = [harness.spec('once', 'first'), harness.spec('twice', 'first')];
      await settle(() => provider.provision(once, signal));
      await Promise.all([
        settle(() => provider.provision(twice, signal)),
        settle(() => provider.provision(twice, signal)),
      ]);
      const [{ compute: ofOne }, { compute: ofTwo }] = [
        await healthy(provider, once),
        await healthy(provider, twice),
      ];
      expect([ofTwo.running, ofTwo.desired]).toEqual([ofOne.running, ofOne.desired]);
      const owned = await provider.list(signal);
      const count = (id: string) => owned.filter(({ tenantId }) => tenantId === id).length;
      expect(count('twice')).toBe(count('once'));
      for (const spec of [once, twice]) await settle(() => provider.destroy(spec, signal));
    });

    it('list shows what is owned, under the tenant that owns it, until it is gone', async () => {
      const provider = drive(harness.provider());
      const spec = harness.spec('listed', 'first');
      await settle(() => provider.provision(spec, signal));
      const { namespace, name } = spec.tenant;
      const mine = async () => (await provider.list(signal)).filter(({ tenantId }) => tenantId === 'listed');
      expect((await mine()).length).toBeGreaterThan(0);
      for (const owned of await mine()) expect(owned).toMatchObject({ namespace, name });
      await settle(() => provider.destroy(spec, signal));
      expect(await mine()).toEqual([]);
    });

    it('desired is pure, and says for one spec always the same', () => {
      const [one, two] = [harness.provider(), harness.provider()];
      const spec = harness.spec('pure', 'first');
      expect(two.desired(spec)).toEqual(one.desired(spec));
      expect(one.desired(spec).placement).toMatchObject({ provider: one.name });
      expect(one.desired(spec).specHash).toMatch(/^v\d+:[0-9a-f]{32}$/);
    });

    it('the domain of what is desired can be told ahead, from the config and from the placement', () => {
      const provider = harness.provider();
      const spec = harness.spec('domain', 'first');
      const { domain, placement } = provider.desired(spec);
      const { config } = spec;
      const guess = (at: Destination) => provider.domainOf?.(at);
      const told = [
        guess({ config }),
        guess({ placement }),
        guess({ config, placement: { provider: 'other' } }),
      ];
      expect(told.filter((one) => one !== domain)).toEqual(
        provider.domainOf === undefined ? [undefined, undefined, undefined] : [],
      );
    });

    it('what is aborted before it begins changes nothing, and rejects with nothing but a ComputeError', async () => {
      const provider = harness.provider();
      const spec = harness.spec('aborted', 'first');
      const writes = harness.writes?.();
      const aborted = AbortSignal.abort();
      const calls = [...callsOf(provider, spec, aborted), drive(provider).validate(spec, aborted)];
      const answers = await Promise.allSettled(calls);
      const rejected = answers.filter((answer) => answer.status === 'rejected');
      for (const { reason } of rejected) expect(reason).toBeInstanceOf(ComputeError);
      expect(harness.writes?.()).toBe(writes);
      await settle(() => drive(provider).destroy(spec, signal));
    });

    it('a call that its engine does not answer ends when it is aborted, with a ComputeError', async (context: TestContext) => {
      const { silent } = harness;
      if (silent === undefined) context.skip('this engine can not be silenced');
      const provider = silent();
      const stop = new AbortController();
      const calls = Promise.allSettled(callsOf(provider, harness.spec('silent', 'first'), stop.signal));
      stop.abort();
      for (const answer of await calls) {
        expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(ComputeError) as unknown });
      }
      await provider.close();
    });

    it('watch ends when it is told to', async () => {
      const provider = harness.provider();
      const stop = new AbortController();
      const watching = provider.watch(() => undefined, stop.signal);
      stop.abort();
      await expect(watching).resolves.toBeUndefined();
    });

    if (durable) describeDurability(() => harness);
    describeConflict(() => harness);
  });
}

function describeDurability(getHarness: () => ContractHarness): void {
  const signal = new AbortController().signal;

  it('what outlives the process is found again by the next, and no other instance sees it', async () => {
    const harness = getHarness();
    const spec = harness.spec('durable', 'first');
    await settle(() => drive(harness.provider()).provision(spec, signal));
    const before = await healthy(drive(harness.provider()), spec);
    const restarted = drive(harness.provider());
    expect(await restarted.getStatus(spec, { fresh: false, signal })).toEqual(before);

    const other = harness.provider('other');
    expect((await other.list(signal)).filter(({ tenantId }) => tenantId === 'durable')).toEqual([]);
    expect((await drive(other).destroy(spec, signal)).outcome).toBe('gone');
    expect(await restarted.getStatus(spec, { fresh: false, signal })).toEqual(before);
    await settle(() => restarted.destroy(spec, signal));
  });

  it('a tenant of the same id in another namespace is a conflict, and destroying it destroys nothing', async () => {
    const harness = getHarness();
    const provider = drive(harness.provider());
    const spec = harness.spec('rival', 'first');
    await settle(() => provider.provision(spec, signal));
    const before = await healthy(provider, spec);
    const rival = { ...spec, tenant: { ...spec.tenant, namespace: 'elsewhere' } };
    const conflict = { code: 'ProviderConflict' };
    await expect(settle(() => provider.provision(rival, signal))).rejects.toMatchObject(conflict);
    await expect(settle(() => provider.update(rival, signal))).rejects.toMatchObject(conflict);
    await expect(provider.getStatus(rival, { fresh: false, signal })).rejects.toMatchObject(conflict);
    expect((await provider.destroy(rival, signal)).outcome).toBe('gone');
    expect(await provider.getStatus(spec, { fresh: false, signal })).toEqual(before);
    await settle(() => provider.destroy(spec, signal));
  });
}

function describeConflict(getHarness: () => ContractHarness): void {
  it('what bears no mark of ours is a conflict, and is never touched', async (context: TestContext) => {
    const harness = getHarness();
    const { occupy } = harness;
    if (occupy === undefined) context.skip('nothing else can be in its place');
    const signal = new AbortController().signal;
    const provider = drive(harness.provider());
    const look = await occupy('occupied');
    const before = await look();
    const spec = harness.spec('occupied', 'first');
    const conflict = { code: 'ProviderConflict' };
    await expect(settle(() => provider.provision(spec, signal))).rejects.toMatchObject(conflict);
    await expect(settle(() => provider.update(spec, signal))).rejects.toMatchObject(conflict);
    expect((await provider.destroy(spec, signal)).outcome).toBe('gone');
    expect(await look()).toEqual(before);
  });
}

/** Each operation that can't do without its engine, all under way at the same time. */
function callsOf(provider: Provider, spec: TenantComputeSpec, signal: AbortSignal): Promise<unknown>[] {
  const { provision, update, hold, getStatus, destroy } = drive(provider);
  return [
    provision(spec, signal),
    update(spec, signal),
    hold(spec, signal),
    getStatus(spec, { fresh: false, signal }),
    provider.list(signal),
    destroy(spec, signal),
  ];
}

/** On the engine itself, with all there is to compare. */
function lookClosely(
  provider: DrivenProvider<TenantComputeSpec>,
  spec: TenantComputeSpec,
): Promise<Observation> {
  return provider.getStatus(spec, { fresh: true, signal: new AbortController().signal });
}

/** Calls again, as the controller does, until the operation has nothing left to do. */
async function settle<T extends { outcome: StepResult['outcome'] | 'gone' }>(
  operation: () => Promise<T>,
): Promise<void> {
  const until = Date.now() + convergeMs;
  for (;;) {
    const { outcome } = await operation();
    if (outcome === 'done' || outcome === 'gone') return;
    if (outcome === 'rolled_back') throw new Error('rolled back');
    if (Date.now() > until) throw new Error('the operation does not come to an end');
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function healthy(
  provider: DrivenProvider<TenantComputeSpec>,
  spec: TenantComputeSpec,
): Promise<Observation> {
  const until = Date.now() + convergeMs;
  for (;;) {
    const seen = await provider.getStatus(spec, { fresh: false, signal: new AbortController().signal });
    const { state, health } = seen.compute;
    if (state === 'running' && health === 'healthy' && seen.changes.length === 0) return seen;
    if (Date.now() > until) throw new Error(`not healthy: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
