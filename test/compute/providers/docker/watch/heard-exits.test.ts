import { describe, expect, it } from 'vitest';
import { createHeardExits } from '../../../../../src/compute/providers/docker/watch/heard-exits.ts';
import { observedContainer } from '../observed-fixture.ts';

const t0 = Date.parse('2026-01-01T12:00:00Z');

function heard(
  ...events: readonly (readonly [action: string, attributes?: Record<string, string>, afterMs?: number])[]
) {
  const exits = createHeardExits();
  for (const [action, attributes = {}, afterMs = 0] of events) {
    exits.note({ action, id: 'app', attributes, timeMs: t0 + afterMs });
  }
  const { exitCode, exitsMs = [], killed = false } = exits.addTo(observedContainer({ name: 'app' }));
  return { exitCode, exitsAfterMs: exitsMs.map((ms) => ms - t0), killed };
}

const nothing = { exitCode: undefined, exitsAfterMs: [], killed: false };
const die = (code: string, afterMs = 0) => ['die', { exitCode: code }, afterMs] as const;

describe('what events tell of a container', () => {
  it('is the code of its last exit, and when it exited in the last 5 minutes', () => {
    expect(heard(die('1'), die('2', 299_999), die('3', 300_000))).toEqual({
      exitCode: 3,
      exitsAfterMs: [299_999, 300_000],
      killed: false,
    });
    expect(heard(die('1'), die('?', 5))).toEqual({ exitCode: 1, exitsAfterMs: [0, 5], killed: false });
  });

  it('is that a signal was sent to it, until it is started again', () => {
    for (const signal of ['2', '3', '9', '15']) {
      expect(heard(['kill', { signal }], die('1'))).toMatchObject({ killed: true });
      expect(heard(['kill', { signal }], die('1'), ['start'])).toMatchObject({ killed: false });
    }
  });

  it('is not that a signal told it something', () => {
    expect(heard(['kill', { signal: '1' }], ['kill'])).toEqual(nothing);
  });

  it('is which of its exits nobody has asked for', () => {
    const exits = createHeardExits();
    const hear = (action: string, attributes: Record<string, string>, timeMs: number): void =>
      exits.note({ action, id: 'app', attributes, timeMs });
    const exit = (exitCode: string, timeMs: number): void => hear('die', { exitCode }, timeMs);
    exit('1', t0);
    hear('kill', { signal: '9' }, t0);
    exit('137', t0 + 1);
    hear('start', {}, t0 + 2);
    // Of an engine that goes down, and of one that was lost.
    exit('143', t0 + 3);
    exit('255', t0 + 4);
    exit('137', t0 + 5);
    const { exitsMs, crashesMs } = exits.addTo(observedContainer({ name: 'app' }));
    expect(exitsMs).toHaveLength(5);
    expect(crashesMs).toEqual([t0, t0 + 5]);
  });

  it('goes with it', () => {
    expect(heard(die('1'), ['kill', { signal: '9' }], ['destroy'])).toEqual(nothing);
  });

  it('gives way to what the engine itself says of the code', () => {
    const exits = createHeardExits();
    exits.note({ action: 'die', id: 'app', attributes: { exitCode: '1' }, timeMs: t0 });
    expect(exits.addTo(observedContainer({ name: 'app', exitCode: 2 })).exitCode).toBe(2);
    const other = observedContainer({ name: 'other' });
    expect(exits.addTo(other)).toBe(other);
  });
});

describe('what a look tells of exits that nobody heard', () => {
  const seen = (restartCount: number, finishedAfterMs: number) =>
    observedContainer(
      { name: 'app' },
      {
        restartCount,
        createdMs: t0 - 10_000,
        finishedMs: t0 + finishedAfterMs,
        startedMs: t0 + finishedAfterMs + 100,
      },
    );
  const crashesOf = ({ crashesMs = [], exitsMs }: ReturnType<typeof seen>) => {
    expect(exitsMs ?? []).toEqual(crashesMs);
    return crashesMs.map((ms) => ms - t0);
  };

  it('is kept once somebody has started it, and the engine counts anew', () => {
    const exits = createHeardExits();
    expect(crashesOf(exits.addTo(seen(1, 0)))).toEqual([0]);
    expect(crashesOf(exits.addTo(seen(3, 5_000)))).toEqual([0, 5_000, 5_000]);
    expect(crashesOf(exits.addTo(seen(0, 9_000)))).toEqual([0, 5_000, 5_000]);
    expect(crashesOf(exits.addTo(seen(1, 300_000)))).toEqual([5_000, 5_000, 300_000]);
  });

  it('is no more than can be told to be recent', () => {
    const years = { restartCount: 50, createdMs: 0, startedMs: t0 + 100, finishedMs: t0 };
    expect(crashesOf(createHeardExits().addTo(observedContainer({ name: 'app' }, years)))).toEqual([0]);
  });

  it('is what was missed before one that was heard', () => {
    const exits = createHeardExits();
    exits.note({ action: 'die', id: 'app', attributes: { exitCode: '1' }, timeMs: t0 + 5_040 });
    const { crashesMs = [] } = exits.addTo(seen(3, 5_000));
    expect(crashesMs.map((ms) => ms - t0)).toEqual([5_040, 5_000, 5_000]);
  });

  it('is not taken for the next exit, however soon after its restart that comes', () => {
    const kill = { action: 'kill', id: 'app', attributes: { signal: '9' }, timeMs: t0 + 600 };
    const killed = { action: 'die', id: 'app', attributes: { exitCode: '137' }, timeMs: t0 + 610 };
    const restarted = { action: 'start', id: 'app', attributes: {}, timeMs: t0 + 200 };
    for (const [startedAfterMs, events] of [
      [200, [kill, killed]],
      [-100, [restarted, kill, killed]],
    ] as const) {
      const exits = createHeardExits();
      const at = { restartCount: 1, finishedMs: t0, startedMs: t0 + startedAfterMs };
      exits.addTo(observedContainer({ name: 'app' }, at));
      for (const event of events) exits.note(event);
      const { crashesMs, exitsMs } = exits.addTo(seen(0, 700));
      expect({ crashesMs, exitsMs }).toEqual({ crashesMs: [t0], exitsMs: [t0 + 610, t0] });
    }
  });

  it('counts once, whatever comes first, the look or the event', () => {
    const exits = createHeardExits();
    const exit = (timeMs: number): void =>
      exits.note({ action: 'die', id: 'app', attributes: { exitCode: '1' }, timeMs });
    exits.addTo(seen(1, 0));
    exit(t0 + 40);
    expect(crashesOf(exits.addTo(seen(1, 0)))).toEqual([40]);
    exit(t0 + 5_040);
    expect(crashesOf(exits.addTo(seen(2, 5_000)))).toEqual([40, 5_040]);
  });

  it('is nothing where the engine has not restarted it: it may have gone down, and come back with it', () => {
    const exits = createHeardExits();
    exits.addTo(seen(1, 0));
    expect(crashesOf(exits.addTo(seen(1, 60_000)))).toEqual([0]);
  });

  it('goes with it', () => {
    const exits = createHeardExits();
    exits.addTo(seen(1, 0));
    exits.note({ action: 'destroy', id: 'app', attributes: {}, timeMs: t0 });
    expect(crashesOf(exits.addTo(seen(0, 0)))).toEqual([]);
  });
});
