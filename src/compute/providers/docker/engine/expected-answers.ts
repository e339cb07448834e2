import type { Answer, ReadAnswer } from './answers/answer.ts';
import type { EngineConnection } from './engine-connection.ts';
import { engineTrouble, failedRead, refusal } from './engine-errors.ts';
import type { EngineRequest } from './engine-transport.ts';

/** What is asked for where any other answer is a failure. */

export async function read<T>(
  connection: EngineConnection,
  request: Pick<EngineRequest, 'path' | 'query'>,
  signal: AbortSignal,
  reader?: ReadAnswer,
): Promise<T> {
  const options = reader === undefined ? {} : { read: reader };
  const answer = await connection.ask({ method: 'GET', ...request }, signal, options);
  if (answer.status !== 200) throw failedRead(connection.host, answer);
  return answer.body as T;
}

export async function find<T>(
  connection: EngineConnection,
  path: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  const answer = await connection.ask({ method: 'GET', path }, signal);
  // An ambiguous name.
  if (answer.status === 400) throw refusal(answer, path);
  return foundBody(connection, answer) as T | undefined;
}

/** The body; undefined where there is no such thing. */
export function foundBody(connection: EngineConnection, answer: Answer): unknown {
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw failedRead(connection.host, answer);
  return answer.body;
}

/** 304: it was so before. Throws EngineRefusal, or ComputeError where the engine itself is in trouble. */
export function expectChange(connection: EngineConnection, answer: Answer, target: string): void {
  if ((answer.status >= 200 && answer.status < 300) || answer.status === 304) return;
  throw engineTrouble(connection.host, answer) ?? refusal(answer, target);
}
