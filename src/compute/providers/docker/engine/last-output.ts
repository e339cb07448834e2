import type { EngineConnection } from './engine-connection.ts';

/** The engine keeps up to 16 KB of a line together. */
const lines = 10;
const maxLength = 4096;

/** The end of what a container has printed; empty where the engine can't tell, as with some log drivers. */
export async function lastOutput(
  connection: EngineConnection,
  id: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/containers/${encodeURIComponent(id)}/logs`;
  const query = { stdout: true, stderr: true, tail: lines };
  const answer = await connection.ask({ method: 'GET', path, query }, signal);
  return answer.status === 200 ? answer.text.replaceAll(header, '').slice(-maxLength) : '';
}

/** Before each piece, where there is no terminal: the number of the stream, and the length in the last two of eight bytes. */
const header = /\p{Cc}\0{5}[\0-@]./gsu;
