import { pino } from 'pino';
import type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** json: a line of JSON per entry; text: for people. */
  readonly format: 'json' | 'text';
  /** Takes each line, with its line break. Default: standard output. */
  readonly write?: (line: string) => void;
}

/** Members of logged objects whose values never reach the log, at any depth, in any case. */
const secretKeys = new Set([
  'password',
  'auth',
  'authorization',
  'x-registry-auth',
  'token',
  'identitytoken',
  'secret',
  'data',
  'stringdata',
  'registries',
  'env',
]);

/** Deeper than anything that is logged on purpose; ends the walk through what refers to itself. */
const maxDepth = 8;

/** Secret values are wrapped where they are read; this is the second net. */
export function createLogger({ level, format, write }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }), log: redactMembers },
    // The formatter has made them plain; pino's own would look at an Error's cause.
    serializers: { err: (error: unknown) => error },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  const lines = write === undefined ? standardOutput() : { write };
  const toLine = format === 'json' ? escaped : textLine;
  return withCleanChildren(pino(options, { write: (line: string) => lines.write(toLine(line)) }));
}

/** A write costs more than the line that it writes: one for each took a tenth of the operator's CPU in a storm. */
const togetherMs = 25;

/** The lines of 25 ms go out as one write; the last ones when the process exits. */
function standardOutput(): { write(line: string): void } {
  const output = pino.destination({ dest: process.stdout.fd, sync: false });
  const lines: string[] = [];
  const handOver = (): void => {
    if (lines.length > 0) output.write(lines.splice(0).join(''));
  };
  process.once('exit', () => {
    handOver();
    output.flushSync();
  });
  return {
    write(line) {
      if (lines.push(line) === 1) setTimeout(handOver, togetherMs);
    },
  };
}

/** What a terminal would obey, or not show; JSON has the rest escaped already. The line's own break stays. */
const unprintable = /(?!\n$)[\p{C}\u2028\u2029]/gu;
/** Most lines are nothing else, and this is quicker to tell. */
const plain = /^[\x20-\x7e]*\n$/;

/** As it stands in JSON, and in strings of JavaScript: `\u001b`. */
function escaped(line: string): string {
  if (plain.test(line)) return line;
  return line.replace(unprintable, (character) =>
    Array.from(
      { length: character.length },
      (_none, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** What a child is bound to passes by the formatters, and pino's own redaction would copy each line for each key. */
function withCleanChildren(logger: Logger): Logger {
  type Child = (this: Logger, bindings: object, options?: object) => Logger;
  const child = Reflect.get(logger, 'child') as unknown as Child;
  // Children inherit from their parent.
  const cleanChild: Child = function cleanChild(bindings, options) {
    return child.call(this, redactMembers(bindings), options);
  };
  return Object.assign(logger, { child: cleanChild });
}

/** `members` without what must not be logged; pino hands it every object that is logged. */
function redactMembers(members: object, depth = 1): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([key, value]) => [
      key,
      secretKeys.has(key.toLowerCase()) && value !== undefined ? '[redacted]' : redact(value, depth),
    ]),
  );
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return serializeError(value);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if ('toJSON' in value) return value;
  if (depth >= maxDepth) return '[too deep]';
  return Array.isArray(value)
    ? value.map((item) => redact(item, depth + 1))
    : redactMembers(value, depth + 1);
}

/** Only name, code and message: stacks and causes can carry a request with its body. */
function serializeError(error: Error): Record<string, unknown> {
  const { name, message, stack } = error;
  const code = (error as { code?: unknown }).code;
  // A stack helps where the fault is ours; of those that name what is wrong it would only be noise.
  const bug = error instanceof TypeError || error instanceof RangeError || name === 'Error';
  return { name, message, ...(typeof code === 'string' ? { code } : {}), ...(bug ? { stack } : {}) };
}

function textLine(json: string): string {
  const { time, level, msg, ...facts } = JSON.parse(json) as Record<string, unknown> & {
    msg?: string;
  };
  const members = Object.entries(facts).map(
    ([key, value]) =>
      ` ${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  // Continued lines are set in: a message from outside can't pass for an entry.
  const message = (msg ?? '').split('\n').map(escaped).join('\n    ');
  const rest = escaped(members.join(''));
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${message}${rest}\n`;
}
