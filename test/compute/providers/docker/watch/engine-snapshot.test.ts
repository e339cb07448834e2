import { describe, expect, it } from 'vitest';
import { createSnapshot } from '../../../../../src/compute/providers/docker/watch/engine-snapshot.ts';
import type { EngineSnapshot } from '../../../../../src/compute/providers/docker/watch/engine-snapshot.ts';
import type { ObservedContainer } from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { observedContainer } from '../observed-fixture.ts';

const [a, b] = [observedContainer({ name: 'a' }), observedContainer({ name: 'b' })];
const paused = observedContainer({ name: 'a', state: 'paused' });
const list = (tenants: Record<string, readonly ObservedContainer[]>) => new Map(Object.entries(tenants));

/** Has seen a list with one tenant `t` that has the container `a`. */
function filled(containers: readonly ObservedContainer[] = [a]): EngineSnapshot {
  const snapshot = createSnapshot();
  snapshot.storeAll(list({ t: containers }), snapshot.moment(), false);
  return snapshot;
}

describe('what is known of one tenant', () => {
  it('is nothing, not unknown, where no list tells of it', () => {
    expect(createSnapshot().read('t')).toEqual([]);
  });

  it('is what the engine answered last', () => {
    const snapshot = createSnapshot();
    snapshot.store('t', [a], snapshot.moment());
    expect(snapshot.read('t')).toEqual([a]);
    snapshot.store('t', [b], snapshot.moment());
    expect(snapshot.read('t')).toEqual([b]);
    expect(snapshot.tenantIds()).toEqual(['t']);
  });

  it('is stale once something has happened, until an answer to a later question', () => {
    const snapshot = filled();
    const early = snapshot.moment();
    snapshot.touch('t');
    expect(snapshot.read('t')).toBeUndefined();
    snapshot.store('t', [a], early);
    expect(snapshot.read('t')).toBeUndefined();
    snapshot.store('t', [b], snapshot.moment());
    expect(snapshot.read('t')).toEqual([b]);
  });

  it('is not what a question of before was answered, once a later one has been', () => {
    const snapshot = filled();
    const early = snapshot.moment();
    snapshot.touch('other');
    snapshot.store('t', [b], snapshot.moment());
    snapshot.store('t', [a], early);
    expect(snapshot.read('t')).toEqual([b]);
  });

  it('is stale where it was never asked for, and something has happened', () => {
    const snapshot = filled();
    snapshot.touch('new');
    expect(snapshot.read('new')).toBeUndefined();
    expect(snapshot.read('t')).toEqual([a]);
  });
});

describe('an amendment', () => {
  it('takes the place of what it was made of, and of nothing else', () => {
    const snapshot = filled([a, b]);
    snapshot.amend('t', a, paused);
    expect(snapshot.read('t')).toEqual([paused, b]);
    snapshot.amend('t', a, a);
    expect(snapshot.read('t')).toEqual([paused, b]);
  });

  it('makes nothing young again, and no tenant of nothing', () => {
    const snapshot = filled();
    snapshot.touch('t');
    snapshot.amend('t', a, paused);
    expect(snapshot.read('t')).toBeUndefined();
    snapshot.amend('gone', a, paused);
    expect(snapshot.tenantIds()).toEqual(['t']);
  });
});

describe('a list of everything', () => {
  const news = (
    before: readonly ObservedContainer[],
    after: Record<string, readonly ObservedContainer[]>,
  ) => {
    const snapshot = filled(before);
    return snapshot.storeAll(list(after), snapshot.moment(), false);
  };

  it('has no news the first time', () => {
    const snapshot = createSnapshot();
    expect(snapshot.storeAll(list({ t: [a] }), 0, false)).toEqual([]);
    expect(snapshot.read('t')).toEqual([a]);
  });

  it.each<[string, Partial<ObservedContainer>]>([
    ['another container', { id: 'c2' }],
    ['another name', { name: 'a_old' }],
    ['another state', { state: 'paused' }],
    ['another health', { health: 'unhealthy' }],
    ['other ports', { ports: [{ address: '::', hostPort: 1, containerPort: 1, protocol: 'tcp' }] }],
  ])('has news where a tenant has %s', (_what, over) => {
    expect(news([a], { t: [{ ...a, ...over }] })).toEqual(['t']);
  });

  it.each<[string, Record<string, readonly ObservedContainer[]>]>([
    ['the order', { t: [b, a] }],
    ['what the list does not tell', { t: [{ ...a, inspected: undefined, young: true }, b] }],
  ])('has none where only %s differs', (_what, after) => {
    expect(news([a, b], after)).toEqual([]);
  });

  it('has none of the health of who does not run: of that, only an inspect tells', () => {
    const ended = { ...a, state: 'exited', health: 'unhealthy' } as const;
    expect(news([ended], { t: [{ ...ended, health: 'none' }] })).toEqual([]);
  });

  it('has news of who is young after a time in which nobody has listened: it may have been restarted', () => {
    const young = { ...a, inspected: undefined, young: true };
    const afterGap = (found: ObservedContainer) => {
      const snapshot = filled([a]);
      return [snapshot.storeAll(list({ t: [found] }), snapshot.moment(), true), snapshot.read('t')];
    };
    // What was inspected before counts no more.
    expect(afterGap(young)).toEqual([['t'], undefined]);
    expect(afterGap({ ...young, young: false })).toEqual([[], [a]]);
  });

  it('has news of tenants that came and that went, and of no others', () => {
    const snapshot = createSnapshot();
    snapshot.storeAll(list({ stays: [a], goes: [b] }), 0, false);
    expect(snapshot.storeAll(list({ stays: [a], comes: [b] }), 0, false)).toEqual(['goes', 'comes']);
    expect(snapshot.read('comes')).toEqual([b]);
    expect(snapshot.storeAll(list({ stays: [a], comes: [b] }), 0, false)).toEqual([]);
  });

  it('tells less than the inspects that are due of what it changes', () => {
    const snapshot = filled();
    snapshot.storeAll(list({ t: [paused] }), snapshot.moment(), false);
    expect(snapshot.read('t')).toBeUndefined();
  });

  it('keeps the inspects of what it does not change', () => {
    const snapshot = filled();
    snapshot.storeAll(list({ t: [{ ...a, inspected: undefined }] }), snapshot.moment(), false);
    expect(snapshot.read('t')).toEqual([a]);
  });

  it('that was asked for before does not undo what is known since', () => {
    const snapshot = filled();
    const early = snapshot.moment();
    snapshot.touch('t');
    snapshot.store('t', [b], snapshot.moment());
    expect(snapshot.storeAll(list({ t: [a] }), early, false)).toEqual([]);
    expect(snapshot.read('t')).toEqual([b]);
  });

  it('forgets who is gone, and only then: no late answer brings a tenant back', () => {
    const snapshot = filled();
    const early = snapshot.moment();
    snapshot.touch('t');
    snapshot.store('t', [], snapshot.moment());
    snapshot.storeAll(list({}), snapshot.moment(), false);
    snapshot.store('t', [a], early);
    expect(snapshot.read('t')).toEqual([]);
    snapshot.touch('t');
    snapshot.storeAll(list({}), snapshot.moment(), false);
    expect(snapshot.tenantIds()).toEqual([]);
    expect(snapshot.read('t')).toEqual([]);
  });

  it('does not forget who is there again', () => {
    const snapshot = filled();
    snapshot.store('t', [], snapshot.moment());
    snapshot.touch('other');
    expect(snapshot.storeAll(list({ t: [a] }), snapshot.moment(), false)).toEqual(['t']);
    expect(snapshot.read('t')).toBeUndefined();
  });
});

describe('a container that the engine has said to be gone', () => {
  it('is none of its tenant any more, and of the others nobody is asked for that', () => {
    const snapshot = filled([a, b]);
    snapshot.touchOne('t', 'a');
    snapshot.removed('t', 'a');
    expect(snapshot.read('t')).toEqual([b]);
    expect(snapshot.parts('t', -Infinity)).toEqual({ known: [b], doubtful: [] });
  });

  it('makes nothing certain of the others that was not', () => {
    const snapshot = filled([a, b]);
    snapshot.touchOne('t', 'b');
    snapshot.removed('t', 'a');
    expect(snapshot.read('t')).toBeUndefined();
    expect(snapshot.parts('t', -Infinity)).toEqual({ known: [b], doubtful: ['b'] });
  });

  it('is not brought back by what is told late, nor by an answer that was under way', () => {
    const snapshot = filled([a, b]);
    const [early, parts] = [snapshot.moment(), { known: [a, b], doubtful: ['a'] }];
    snapshot.touchOne('t', 'b');
    snapshot.removed('t', 'a');
    snapshot.touchOne('t', 'a');
    expect(snapshot.parts('t', -Infinity)?.doubtful).toEqual(['b']);
    const when = { moment: early, askedMs: 0 };
    expect(snapshot.storeParts('t', parts, [a], when)).toEqual([b]);
    expect(snapshot.parts('t', -Infinity)).toEqual({ known: [b], doubtful: ['b'] });
    snapshot.store('t', [a, b], snapshot.moment());
    expect(snapshot.read('t')).toEqual([b]);
    snapshot.storeAll(list({ t: [a, b] }), snapshot.moment(), false);
    expect(snapshot.parts('t', -Infinity)?.known).toEqual([b]);
  });

  it('is forgotten after two lists: ids do not come back', () => {
    const snapshot = filled([a]);
    snapshot.removed('t', 'a');
    for (let n = 0; n < 3; n += 1) snapshot.storeAll(list({}), snapshot.moment(), false);
    snapshot.touchOne('t', 'a');
    expect(snapshot.parts('t', -Infinity)?.doubtful).toEqual(['a']);
  });
});
