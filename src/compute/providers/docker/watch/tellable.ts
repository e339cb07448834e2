import { redact, redactExcerpt } from '../../../observation/redact.ts';
import { stableText } from '../../../observation/stable-text.ts';
import type { Observation } from '../../../provider.ts';
import { veiled } from '../../../spec/spec-hash.ts';
import type { HashKey } from '../../../spec/spec-hash.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** What the engine shows, made fit to be told: without the values of secrets, and cut only after that. Pure. */

/** Longest piece of a probe's output that goes into a message. */
const probeLineLength = 200;

/** Of what a job has printed before it failed: lines, and characters. */
const linesTold = 3;
const linesLength = 300;

/** The container, with what it and its engine say of it. */
export function tellable(told: ObservedContainer, secrets: readonly string[]): ObservedContainer {
  const { inspected } = told;
  const container = withTellableOutput(told, secrets);
  if (inspected === undefined) return container;
  const error = redactExcerpt(inspected.error, secrets);
  const lastProbe = firstLine(redactExcerpt(inspected.lastProbe, secrets));
  return { ...container, inspected: { ...inspected, error, lastProbe } };
}

/** The container, with what it has printed as far as that may be told. Without secrets at hand, nobody knows what that is. */
export function withTellableOutput(
  container: ObservedContainer,
  secrets: readonly string[] | undefined,
): ObservedContainer {
  const { lastOutput } = container;
  if (lastOutput === undefined) return container;
  const told = secrets && lastLines(redactExcerpt(lastOutput, secrets));
  return { ...container, lastOutput: told };
}

function lastLines(output: string): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => stableText(line.replaceAll(/\p{Cc}/gu, ' ')))
    .filter((line) => line !== '');
  return lines.slice(-linesTold).join(' | ').slice(-linesLength);
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, probeLineLength);
}

/** What was observed, with all that is said of it; no hash of an earlier version, from which a secret could be guessed. */
export function tellableObservation(
  seen: Observation,
  { secrets = [], hashKey }: { readonly secrets?: readonly string[]; readonly hashKey: HashKey },
): Observation {
  const clean = (text: string): string => redact(veiled(text, hashKey), secrets);
  const { message, compute } = seen;
  const containers = compute.containers?.map((container) => ({
    ...container,
    ...(container.message === undefined ? {} : { message: clean(container.message) }),
    ...(container.completed === undefined ? {} : { completed: veiled(container.completed, hashKey) }),
  }));
  return {
    ...seen,
    changes: seen.changes.map((change) => ({
      ...change,
      desired: clean(change.desired),
      actual: clean(change.actual),
    })),
    ...(message === undefined ? {} : { message: clean(message) }),
    compute: { ...compute, ...(containers === undefined ? {} : { containers }) },
  };
}
