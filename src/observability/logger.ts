import { pino } from 'pino';
import type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** json: a line of JSON per entry; text: for people. */
  readonly format: 'json' | 'text';
}

/** Members of logged objects whose values never reach the log, at any of these depths. */
const secretKeys = [
  'password',
  'auth',
  'authorization',
  'token',
  'secret',
  'data',
  'stringData',
  'registries',
  'env',
  'Env',
];

/** Writes to standard output. Secret values are wrapped where they are read; this is the second net. */
export function createLogger({ level, format }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    // Only name, code and message of an error: stacks and causes can carry a request with its body.
    serializers: { err: serializeError, error: serializeError },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  return format === 'json'
    ? pino(options)
    : pino(options, { write: (line: string) => process.stdout.write(textLine(line)) });
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  const code = (error as { code?: unknown }).code;
  // A stack helps where the fault is ours; of those that name what is wrong it would only be noise.
  const bug = error instanceof TypeError || error instanceof RangeError || name === 'Error';
  return { name, message, ...(typeof code === 'string' ? { code } : {}), ...(bug ? { stack } : {}) };
}

function textLine(json: string): string {
  const { time, level, msg, ...rest } = JSON.parse(json) as Record<string, unknown> & {
    msg?: string;
  };
  const members = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${msg ?? ''}${members.join('')}\n`;
}
