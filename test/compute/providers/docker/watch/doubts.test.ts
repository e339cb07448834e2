import { describe, expect, it } from 'vitest';
import { createDoubts } from '../../../../../src/compute/providers/docker/watch/doubts.ts';
import { createSnapshot } from '../../../../../src/compute/providers/docker/watch/engine-snapshot.ts';
import { observedContainer } from '../observed-fixture.ts';

const [a, b] = [observedContainer({ name: 'a' }), observedContainer({ name: 'b' })];
const always = -Infinity;

describe('what must be asked for of a tenant', () => {
  it('is a list, before there was any', () => {
    expect(createDoubts().about('t', [], always)).toBeUndefined();
    expect(createSnapshot().parts('t', always)).toBeUndefined();
  });

  /** Has seen a list of everything at moment 0, and inspected both at 100 ms. */
  function told() {
    const doubts = createDoubts();
    doubts.listedAll(new Map([['t', [a, b]]]), 0);
    doubts.asked('t', ['a', 'b'], { moment: 0, askedMs: 100 });
    return doubts;
  }

  it('is nothing, where nothing has happened since; and of one that no list shows, nothing either', () => {
    const doubts = told();
    expect(doubts.about('t', [a, b], always)).toEqual([]);
    expect(doubts.about('none', [], always)).toEqual([]);
  });

  it('is the container that something happened to, until it was asked for after that', () => {
    const doubts = told();
    doubts.ofOne('t', 'a', 3);
    expect(doubts.about('t', [a, b], always)).toEqual(['a']);
    doubts.asked('t', ['a'], { moment: 2, askedMs: 200 });
    expect(doubts.about('t', [a, b], always)).toEqual(['a']);
    doubts.asked('t', ['b'], { moment: 3, askedMs: 200 });
    expect(doubts.about('t', [a, b], always)).toEqual(['a']);
    doubts.asked('t', ['a'], { moment: 3, askedMs: 200 });
    expect(doubts.about('t', [a, b], always)).toEqual([]);
  });

  it('is one that nobody knew, too', () => {
    const doubts = told();
    doubts.ofOne('t', 'new', 3);
    expect(doubts.about('t', [a, b], always)).toEqual(['new']);
  });

  it('is each that was asked for too long ago, or never inspected', () => {
    const doubts = told();
    expect(doubts.about('t', [a, b], 100)).toEqual([]);
    expect(doubts.about('t', [a, b], 101)).toEqual(['a', 'b']);
    expect(doubts.about('t', [a, { ...b, inspected: undefined }], always)).toEqual(['b']);
    doubts.forget('a');
    expect(doubts.about('t', [a, b], 100)).toEqual(['a']);
  });

  it('is a list, where anything may have happened, until one was asked for after that', () => {
    const doubts = told();
    doubts.ofAll('t', 3);
    expect(doubts.about('t', [a, b], always)).toBeUndefined();
    doubts.listedAll(new Map(), 2);
    expect(doubts.about('t', [a, b], always)).toBeUndefined();
    doubts.listed('t', 3);
    expect(doubts.about('t', [a, b], always)).toEqual([]);
    doubts.ofAll('t', 4);
    doubts.listedAll(new Map([['t', [a, b]]]), 4);
    expect(doubts.about('t', [a, b], always)).toEqual([]);
  });

  it('is not what a list does not show any more, and still the inspect that is due of what it shows', () => {
    const doubts = told();
    doubts.ofOne('t', 'a', 3);
    doubts.ofOne('t', 'gone', 3);
    doubts.ofOne('t', 'new', 4);
    doubts.listedAll(new Map([['t', [a, b]]]), 3);
    expect(doubts.about('t', [a, b], always)).toEqual(['a', 'new']);
  });
});

describe('what was asked for', () => {
  /** Knows both, of a list at moment 0. */
  function filled() {
    const snapshot = createSnapshot();
    snapshot.storeAll(new Map([['t', [a, b]]]), 0, false);
    return snapshot;
  }
  const take = (snapshot: ReturnType<typeof createSnapshot>) => {
    const parts = snapshot.parts('t', always);
    if (parts === undefined) throw new Error('a list is asked for');
    return parts;
  };

  it('takes its place beside what was known; what is gone is left out, and what is new comes in', () => {
    const snapshot = filled();
    for (const id of ['a', 'b', 'new']) snapshot.touchOne('t', id);
    const ended = observedContainer({ name: 'b', state: 'exited' });
    const added = observedContainer({ name: 'new' });
    const when = { moment: snapshot.moment(), askedMs: 1 };
    expect(snapshot.read('t')).toBeUndefined();
    expect(snapshot.storeParts('t', take(snapshot), [ended, added], when)).toEqual([ended, added]);
    expect(snapshot.read('t')).toEqual([ended, added]);
    expect(take(snapshot).doubtful).toEqual([]);
  });

  it('is no answer to what has happened meanwhile', () => {
    const snapshot = filled();
    snapshot.touchOne('t', 'a');
    const [moment, parts] = [snapshot.moment(), take(snapshot)];
    snapshot.touchOne('t', 'a');
    snapshot.storeParts('t', parts, [a], { moment, askedMs: 1 });
    expect(snapshot.read('t')).toBeUndefined();
    expect(take(snapshot).doubtful).toEqual(['a']);
  });

  it('does not undo a later answer', () => {
    const snapshot = filled();
    const [moment, parts] = [snapshot.moment(), take(snapshot)];
    snapshot.touch('t');
    snapshot.store('t', [b], snapshot.moment());
    snapshot.storeParts('t', { ...parts, doubtful: ['a'] }, [a], { moment, askedMs: 1 });
    expect(snapshot.read('t')).toEqual([b]);
  });
});

describe('a name that we give to a container', () => {
  it('is known while it is given, and once it is: its event is no news', () => {
    const snapshot = createSnapshot();
    snapshot.storeAll(new Map([['t', [a]]]), 0, false);
    expect(snapshot.isNamed('t', 'a', 'a')).toBe(true);
    expect(snapshot.isNamed('t', 'a', 'a_old')).toBe(false);
    snapshot.renaming('a', 'a_old');
    expect(snapshot.isNamed('t', 'a', 'a_old')).toBe(true);
    snapshot.renaming('a', undefined);
    expect(snapshot.isNamed('t', 'a', 'a_old')).toBe(false);
    snapshot.renamed('t', 'a', 'a_old');
    expect(snapshot.isNamed('t', 'a', 'a_old')).toBe(true);
    expect(snapshot.read('t')).toEqual([{ ...a, name: 'a_old' }]);
  });
});
