import { cutText } from '../../../observation/engine-text.ts';
import type { OperationFamily } from './limits/rate-limits.ts';

/** Answers of these hold words of ECS, of its scheduler and of tasks; task definitions hold what somebody wrote into them. */
const families: ReadonlySet<OperationFamily> = new Set([
  'serviceReads',
  'serviceWrites',
  'taskReads',
  'taskWrites',
]);

const keys: ReadonlySet<string> = new Set(['message', 'reason', 'stoppedReason', 'rolloutStateReason']);

/** Cuts the words in an answer that was just read, in place: before anybody looks at them. */
export function cutToldTexts<T>(answer: T, family: OperationFamily): T {
  if (families.has(family)) cutBelow(answer);
  return answer;
}

/** The words of a failure, in the same way. */
export function cutFailure(error: unknown): unknown {
  if (error instanceof Error) error.message = cutText(error.message);
  return error;
}

function cutBelow(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const members = value as Record<string, unknown>;
  for (const [key, member] of Object.entries(members)) {
    if (typeof member !== 'string') cutBelow(member);
    else if (keys.has(key)) members[key] = cutText(member);
  }
}
