import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Logger } from 'pino';
import { ComputeError } from '../../src/compute/errors.ts';
import { createLogger } from '../../src/observability/logger.ts';

const formats = ['json', 'text'] as const;

/** All lines that `use` logs. */
function logged(format: 'json' | 'text', use: (logger: Logger) => void, level = 'info'): string[] {
  const lines: string[] = [];
  use(createLogger({ level, format, write: (line) => void lines.push(line) }));
  return lines;
}

const deep = (value: object, depth: number): object =>
  depth === 0 ? value : deep({ below: value }, depth - 1);

describe.each(formats)('the %s log never shows', (format) => {
  test.each<[what: string, use: (logger: Logger) => void]>([
    ...[
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
    ].map((key): [string, (logger: Logger) => void] => [
      key,
      (logger) => logger.info({ [key]: 'hunter2', at: { [key]: ['hunter2'] } }, 'm'),
    ]),
    [
      'credentials in headers',
      (logger) =>
        logger.info({ headers: { Authorization: 'Basic hunter2', 'X-Registry-Auth': 'hunter2' } }, 'm'),
    ],
    ['a secret at any depth', (logger) => logger.info(deep({ password: 'hunter2' }, 6), 'm')],
    ['a secret in a list', (logger) => logger.info({ list: [[{ token: 'hunter2' }]] }, 'm')],
    ['a secret deeper than anyone looks', (logger) => logger.info(deep({ other: 'hunter2' }, 20), 'm')],
    [
      'a secret that a child is bound to',
      (logger) => logger.child({ token: 'hunter2', at: { token: 'hunter2' } }).info('m'),
    ],
    [
      "an error's cause",
      (logger) => logger.error({ err: new Error('e', { cause: new Error('hunter2') }) }, 'm'),
    ],
    ["a bare error's cause", (logger) => logger.error(new Error('e', { cause: { note: 'hunter2' } }))],
    [
      'what else an error carries',
      (logger) =>
        logger.error({ error: Object.assign(new Error('e'), { request: { body: 'hunter2' } }) }, 'm'),
    ],
    [
      'what an error within an object carries',
      (logger) => logger.error({ results: [Object.assign(new Error('e'), { response: 'hunter2' })] }, 'm'),
    ],
    ['the bytes of a body', (logger) => logger.info({ body: Buffer.from('hunter2') }, 'm')],
  ])('%s', (_what, use) => {
    const text = logged(format, use).join('');
    expect(text).toContain('m');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(Buffer.from('hunter2').toJSON().data.join(','));
  });

  test.each<[how: string, refer: (circle: object) => unknown]>([
    ['itself', (circle) => circle],
    ['itself in a list', (circle) => [circle]],
  ])('more than some circles of what refers to %s', (_how, refer) => {
    const circle: Record<string, unknown> = { name: 'acme' };
    circle['self'] = refer(circle);
    expect(logged(format, (logger) => logger.info({ circle }, 'm'))).toEqual([
      expect.stringContaining('[too deep]'),
    ]);
  });
});

describe('the JSON log', () => {
  const entry = (use: (logger: Logger) => void): Record<string, unknown> =>
    JSON.parse(logged('json', use).join(''));

  test('is a line of JSON per entry, with level, time, message and members', () => {
    expect(
      entry((logger) =>
        logger.child({ provider: 'mock' }).warn({ tenant: 'team-a/acme', n: 1 }, 'two\nlines'),
      ),
    ).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      provider: 'mock',
      tenant: 'team-a/acme',
      n: 1,
      msg: 'two\nlines',
    });
  });

  test('has name, code and message of an error, and the stack only of a bug', () => {
    const known = new ComputeError('Throttled', 'slow down');
    expect(entry((logger) => logger.error({ err: known }, 'm'))['err']).toEqual({
      name: 'ComputeError',
      message: 'slow down',
      code: 'Throttled',
    });
    for (const bug of [new TypeError('x'), new RangeError('x'), new Error('x')]) {
      expect(entry((logger) => logger.error({ error: bug }, 'm'))['error']).toEqual({
        name: bug.name,
        message: 'x',
        stack: expect.stringContaining('logger.test.ts'),
      });
    }
  });

  test('leaves dates, numbers, null and lists as they are', () => {
    const at = new Date(0);
    expect(entry((logger) => logger.info({ at, list: [1, null, 'a'], none: null }, 'm'))).toMatchObject({
      at: at.toISOString(),
      list: [1, null, 'a'],
      none: null,
    });
  });

  test.each([
    ['silent', 0],
    ['error', 1],
    ['trace', 3],
  ])('at the level %s has %i of trace, info and error', (level, count) => {
    const use = (logger: Logger): void => {
      logger.trace('t');
      logger.info('i');
      logger.error('e');
    };
    expect(logged('json', use, level)).toHaveLength(count);
  });
});

describe('the text log', () => {
  const line = (use: (logger: Logger) => void): string => logged('text', use).join('').replace(/^\S+ /, '');

  test('is time, level, message and members', () => {
    expect(logged('text', (logger) => logger.info({ tenant: 'team-a/acme', running: 1 }, 'ready'))).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}ready tenant=team-a\/acme running=1\n$/),
    ]);
  });

  test('quotes what would not stand as one word', () => {
    expect(line((logger) => logger.warn({ a: 'two words', b: '', c: { d: 1 }, e: 'x=y' }, 'm'))).toBe(
      'WARN  m a="two words" b="" c={"d":1} e="x=y"\n',
    );
  });

  test('sets continued lines in, so that no message from outside passes for an entry', () => {
    expect(line((logger) => logger.error('one\n12:00:00.000 INFO  two'))).toBe(
      'ERROR one\n    12:00:00.000 INFO  two\n',
    );
  });
});

test.each([
  ['exits', 'process.exit(3)'],
  ['dies of an error', 'throw new Error()'],
  ['comes to its end', ''],
  ['exits while a write is under way', "setTimeout(() => (logger.info('last'), process.exit(3)), 26)"],
])('standard output has every line of a process that %s', (_how, end) => {
  const logger = new URL('../../src/observability/logger.ts', import.meta.url).href;
  const program = `
    import { createLogger } from ${JSON.stringify(logger)};
    const logger = createLogger({ level: 'info', format: 'json' });
    for (let n = 0; n < 1000; n += 1) logger.info(String(n));
    ${end}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const messages = stdout.split(/^/m).map((line) => (JSON.parse(line) as { msg: string }).msg);
  // What goes out at the exit may pass a write that is still under way.
  const numbers = messages.filter((message) => message !== 'last');
  expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => String(n)));
  expect(messages).toHaveLength(end.includes('last') ? 1001 : 1000);
});
