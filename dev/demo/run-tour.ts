import { styleText } from 'node:util';
import { explainUnmet } from './explain-unmet.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { Unmet } from './step.ts';
import type { Step } from './step.ts';

/** Runs the steps in their order up to the first that doesn't come true; whether all did. Rejects with Ctrl-C. */
export async function runTour(steps: readonly Step[], stage: Stage, screen: Screen): Promise<boolean> {
  for (const [index, step] of steps.entries()) {
    const heading = `${index + 1}/${steps.length}  ${step.title}`;
    screen.print(`\n${styleText('bold', heading)}\n     ${styleText('dim', `$ ${step.command(stage)}`)}`);
    screen.activity(`${index + 1}/${steps.length}`);
    const sinceMs = performance.now();
    try {
      const seen = await step.run(stage);
      const took = `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
      screen.print(`  ${styleText('green', '✔')}  ${took}: ${seen}`);
    } catch (error) {
      stage.signal.throwIfAborted();
      screen.print(`  ${styleText('red', '✘')}  ${await explainUnmet(stage, asUnmet(error, step))}`);
      return false;
    } finally {
      screen.activity(undefined);
    }
  }
  return true;
}

/** An act that failed, or a defect of the demo itself: something was expected all the same. */
function asUnmet(error: unknown, step: Step): Unmet {
  if (error instanceof Unmet) return error;
  return new Unmet(step.title, '', error instanceof Error ? error.message : String(error));
}
