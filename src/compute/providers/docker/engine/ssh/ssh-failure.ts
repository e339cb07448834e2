import { noSession } from './ssh-options.ts';

/** What a login says of each session that sshd refuses. */
const ofOneSession = /^channel \d+: open failed/;

/** The last thing that ssh said is what it ended for. */
export function lastLine(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !ofOneSession.test(line)) ?? '';
}

export function sshFailure(said: string): Error {
  const words = said === '' ? 'it ended without a word' : said;
  return Object.assign(new Error(`ssh: ${words}`), { code: 'ESSH' });
}

/** What became of a session's start. */
export type SessionStart =
  /** It was there, or its login has ended. */
  | { readonly kind: 'begun' }
  /** sshd took no more into the login: nothing was started. */
  | { readonly kind: 'refused'; readonly words: string }
  /** The login could not be asked: nothing was started. */
  | { readonly kind: 'missed' }
  /** The login ended while it was asked: who knows. */
  | { readonly kind: 'unknown'; readonly words: string };

/** `said`: all that a session that ended had on its standard error. */
export function sessionStart(said: string): SessionStart {
  const end = said.indexOf(noSession);
  if (end === -1) return { kind: 'begun' };
  const before = said.slice(0, end);
  const words = lastLine(before).replace(/^mux_client_request_session: /, '');
  if (/session request failed/i.test(before)) return { kind: 'refused', words };
  return /\bmux_client/i.test(before) ? { kind: 'unknown', words } : { kind: 'missed' };
}
