import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.ts';

/** What is looked for; the tour waits until `look` finds it. */
export interface Expectation<Found> {
  /** As in "expected: …". */
  readonly text: string;
  /** Whose conditions tell why it did not come true. */
  readonly tenant: string;
  /** Undefined: not yet. What it throws with counts as not yet, too. */
  look(): Promise<Found | undefined> | Found | undefined;
}

/** One step of the tour, as its file describes it. `Acted` is what was noted before and during the act. */
export interface StepDefinition<Acted, Found> {
  readonly title: string;
  /** The exact command that a user would type for the act. */
  readonly command: (stage: Stage) => string;
  readonly act: (stage: Stage) => Promise<Acted>;
  readonly expect: (stage: Stage, acted: Acted) => Expectation<Found>;
  /** What was seen, in a sentence. Rejects with Unmet where a closer look disagrees. */
  readonly seen: (stage: Stage, acted: Acted, found: Found) => string | Promise<string>;
}

export interface Step {
  readonly title: string;
  readonly command: (stage: Stage) => string;
  /** Acts, waits for what is expected, and says what was seen. Rejects with Unmet. */
  readonly run: (stage: Stage) => Promise<string>;
}

/** An expectation that did not come true. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
  readonly expected: string;
  readonly tenant: string;

  constructor(expected: string, tenant: string, seen: string) {
    super(seen);
    this.expected = expected;
    this.tenant = tenant;
  }
}

/** On a busy machine every single thing may take long; what never comes true is known after this. */
const expectTimeoutMs = 60_000;
const lookEveryMs = 50;

export function defineStep<Acted, Found>(definition: StepDefinition<Acted, Found>): Step {
  const { title, command, act, expect, seen } = definition;
  return {
    title,
    command,
    run: async (stage) => {
      stage.fleet.forgetHistory();
      const acted = await act(stage);
      const found = await eventually(stage, expect(stage, acted));
      return seen(stage, acted, found);
    },
  };
}

export async function eventually<Found>(
  stage: Pick<Stage, 'signal' | 'operator'>,
  expectation: Expectation<Found>,
  timeoutMs = expectTimeoutMs,
): Promise<Found> {
  const { text, tenant } = expectation;
  const deadline = Date.now() + timeoutMs;
  let failure = '';
  for (;;) {
    stage.signal.throwIfAborted();
    try {
      const found = await expectation.look();
      if (found !== undefined) return found;
      failure = '';
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    const ending = stage.operator.ending();
    if (ending !== undefined) throw new Unmet(text, tenant, `the operator has ended: ${ending}`);
    if (Date.now() > deadline) {
      const why = failure === '' ? '' : ` (${failure})`;
      throw new Unmet(text, tenant, `not within ${timeoutMs / 1000} s${why}`);
    }
    await sleep(lookEveryMs);
  }
}
