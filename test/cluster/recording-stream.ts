import { pino } from 'pino';
import type { Logger } from 'pino';

/** A logger at its most talkative, and every line that it wrote. */
export function recordingStream(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { logger: pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }), lines };
}
