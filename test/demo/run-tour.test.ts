import { describe, expect, test } from 'vitest';
import { runTour } from '../../dev/demo/run-tour.ts';
import { plainScreen } from '../../dev/demo/screen.ts';
import type { Stage } from '../../dev/demo/stage.ts';
import { defineStep, eventually, Unmet } from '../../dev/demo/step.ts';
import type { Step } from '../../dev/demo/step.ts';
import { tenant } from './tenant.ts';

/** A stage without anything behind it, and what was printed on it. */
function bareStage(options: { signal?: AbortSignal; ending?: string } = {}) {
  let printed = '';
  const screen = plainScreen({
    write: (text: string) => {
      printed += text;
      return true;
    },
  });
  const acme = tenant('acme', { ready: 'False', reason: 'RolledBack', stalled: true });
  const stage = {
    signal: options.signal ?? new AbortController().signal,
    fleet: { get: () => acme, history: () => ['Running', 'RolledBack'], forgetHistory: () => undefined },
    operator: {
      logFile: '/somewhere/operator.log',
      ending: () => options.ending,
      lastLogLines: async () => 'the last thing that the operator said',
    },
  } as unknown as Stage;
  return { stage, screen, printed: () => printed };
}

function step(title: string, run: () => Promise<string>): Step {
  return { title, command: () => `kubectl ${title}`, run };
}

describe('the tour', () => {
  test('tells of each step what it is, what a user would type, and what was seen', async () => {
    const { stage, screen, printed } = bareStage();
    const steps = [step('first', async () => 'it worked'), step('second', async () => 'this too')];
    expect(await runTour(steps, stage, screen)).toBe(true);
    expect(printed()).toMatch(/1\/2 {2}first\n.*\$ kubectl first\n.*\d\.\d s: it worked\n/);
    expect(printed()).toMatch(/2\/2 {2}second\n.*\$ kubectl second\n.*\d\.\d s: this too\n/);
  });

  test('ends with a step that does not come true, and says what was expected, seen, and known', async () => {
    const { stage, screen, printed } = bareStage();
    let later = false;
    const steps = [
      step('first', async () => {
        throw new Unmet('acme is Ready', 'acme', 'not within 60 s');
      }),
      step('second', async () => {
        later = true;
        return '';
      }),
    ];
    expect(await runTour(steps, stage, screen)).toBe(false);
    expect(later).toBe(false);
    for (const part of [
      'expected: acme is Ready',
      'seen:     not within 60 s',
      'Running -> RolledBack',
      'Stalled=True RolledBack: 1/1 running and healthy',
      'the last thing that the operator said',
    ]) {
      expect(printed()).toContain(part);
    }
  });

  test('takes an act that fails for a step that did not come true', async () => {
    const { stage, screen, printed } = bareStage();
    const failing = step('first', async () => {
      throw new Error('the engine answered HTTP 500');
    });
    expect(await runTour([failing], stage, screen)).toBe(false);
    expect(printed()).toContain('the engine answered HTTP 500');
  });

  test('is left at once with Ctrl-C, without blaming the step', async () => {
    const interrupt = new AbortController();
    const { stage, screen, printed } = bareStage({ signal: interrupt.signal });
    const waiting = defineStep({
      title: 'waits',
      command: () => '',
      act: async () => interrupt.abort(),
      expect: () => ({ text: 'never', tenant: 'acme', look: () => undefined }),
      seen: () => '',
    });
    await expect(runTour([waiting], stage, screen)).rejects.toThrow(/abort/);
    expect(printed()).not.toContain('did not come true');
  });
});

describe('what is expected', () => {
  test('is looked for until it is there; a look that fails counts as not yet', async () => {
    let looks = 0;
    const look = (): number | undefined => {
      looks += 1;
      if (looks === 1) throw new Error('connection refused');
      return looks === 3 ? looks : undefined;
    };
    expect(await eventually(bareStage().stage, { text: '', tenant: '', look })).toBe(3);
  });

  test('is given up in the end, with the last failure', async () => {
    const look = (): never => {
      throw new Error('connection refused');
    };
    const waiting = eventually(bareStage().stage, { text: 'an answer', tenant: 'acme', look }, 10);
    await expect(waiting).rejects.toMatchObject({
      name: 'Unmet',
      expected: 'an answer',
      message: expect.stringContaining('connection refused') as string,
    });
  });

  test('is not waited for once the operator has ended', async () => {
    const { stage } = bareStage({ ending: 'exit code 1' });
    const waiting = eventually(stage, { text: '', tenant: '', look: () => undefined });
    await expect(waiting).rejects.toThrow('the operator has ended: exit code 1');
  });
});

test('without a terminal a Tenant is printed when it has changed, and not otherwise', () => {
  const { screen, printed } = bareStage();
  screen.changed(tenant('acme'), false);
  screen.changed(tenant('acme'), false);
  screen.changed(tenant('acme', { ready: 'False', reason: 'Unhealthy' }), false);
  screen.changed(tenant('acme'), true);
  expect(
    printed()
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ +/)[2]),
  ).toEqual(['Running', 'Unhealthy', 'gone']);
});
