import { ComputeError } from '../../../../errors.ts';
import { cutText } from '../../../../observation/engine-text.ts';
import type { EngineConnection } from '../engine-connection.ts';
import { readAnswer } from '../answers/answer.ts';
import type { PullTerms } from '../engine.ts';
import { abortedCall, connectionFailure, silentEngine } from '../engine-errors.ts';
import { endlessReport, pullFailure, silentRegistry, slowRegistry } from './pull-failure.ts';
import type { PullSubject } from './pull-failure.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';
import { startDeadline } from '../../../../../async/deadline.ts';
import { jsonLines } from '../answers/json-lines.ts';
import { pullProgress } from './pull-progress.ts';
import type { OnPullProgress, PullLine } from './pull-progress.ts';

export interface PullOptions extends PullTerms {
  readonly reference: string;
  readonly onProgress: OnPullProgress;
  /** Milliseconds without a word before the registry counts as unavailable. */
  readonly silenceMs: number;
  /** Milliseconds that all of it may take. */
  readonly deadlineMs: number;
}

/** See `Engine.pullImage`. */
export async function pullImage(
  connection: EngineConnection,
  { reference, auth, platform, onProgress, silenceMs, deadlineMs }: PullOptions,
  signal: AbortSignal,
): Promise<void> {
  const parsed = parseImageReference(reference);
  const { host } = connection;
  const subject = { reference, parsed, host, hasCredentials: auth !== undefined };
  if (signal.aborted) throw abortedCall(host, signal.reason);
  const progress = pullProgress(onProgress);
  const silence = new Error('silence');
  const whole = startDeadline({
    timeoutMs: deadlineMs,
    caller: signal,
    late: () => slowRegistry(subject, deadlineMs),
    abandoned: (reason) => abortedCall(host, reason),
  });
  const watchdog = startDeadline({
    timeoutMs: silenceMs,
    caller: whole.signal,
    // A pull that waits in the engine's queue, or whose layers are unpacked, is not stuck.
    late: () => (progress.isUpToEngine() ? undefined : silence),
  });
  try {
    const of = platform === undefined ? {} : { platform };
    const query = { fromImage: parsed.name, tag: parsed.digest ?? parsed.tag, ...of };
    const request = { method: 'POST', path: '/images/create', query, registryAuth: auth } as const;
    const response = await connection.open(request, watchdog.signal);
    if (response.statusCode !== 200)
      throw pullFailure(subject, await readAnswer(response, { host, ...request }));
    for await (const value of jsonLines(response, () => endlessReport(subject))) {
      watchdog.restartTimer();
      const line = value as PullLine;
      // The status was 200 long before: a failure stands in a line only.
      if (line.error !== undefined) throw pullFailure(subject, { status: 500, text: cutText(line.error) });
      progress.take(line);
    }
  } catch (error) {
    const reason: unknown = watchdog.signal.aborted ? watchdog.signal.reason : error;
    if (reason === silence) throw await blameForSilence(connection, subject, signal);
    throw reason instanceof ComputeError ? reason : connectionFailure(host, reason);
  } finally {
    whole.clear();
    watchdog.clear();
    watchdog.abort();
  }
}

/** A frozen engine is as silent as a frozen registry: ask the engine something else. */
async function blameForSilence(
  connection: EngineConnection,
  subject: PullSubject,
  signal: AbortSignal,
): Promise<ComputeError> {
  try {
    await connection.ask({ method: 'GET', path: '/_ping' }, signal);
    return silentRegistry(subject);
  } catch {
    return signal.aborted ? abortedCall(subject.host, signal.reason) : silentEngine(subject.host);
  }
}
