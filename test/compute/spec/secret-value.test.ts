import { inspect, format } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';
import { SecretValue } from '../../../src/compute/spec/secret-value.ts';

const secret = new SecretValue('hunter2');
/** As careless code would take it for a string; the compiler and the linter refuse the secret itself. */
const taken = secret as unknown as string;
const holder = { name: 'DB_PASSWORD', nested: { list: [secret] } };

function logged(formatName: 'json' | 'text'): string {
  const lines: string[] = [];
  const logger = createLogger({ level: 'trace', format: formatName, write: (line) => void lines.push(line) });
  logger.info(holder, `with ${taken}`);
  logger.error({ err: new Error(`failed with ${taken}`, { cause: secret }) }, 'failed %s %o', secret, holder);
  logger.child({ bound: secret }).info({ secret, other: secret });
  return lines.join('');
}

describe('SecretValue', () => {
  test('gives its value to who asks for it by name', () => {
    expect(secret.reveal()).toBe('hunter2');
  });

  test.each<[how: string, shown: () => string]>([
    ['a template', () => `is ${taken}`],
    ['String()', () => String(secret)],
    ['concatenation', () => ['a', secret].join('+')],
    ['JSON', () => JSON.stringify(holder)],
    ['util.inspect', () => inspect(holder, { depth: 9, showHidden: true })],
    ['console.log', () => format('%s %o %O %j', secret, secret, holder, holder)],
    ['the JSON log', () => logged('json')],
    ['the text log', () => logged('text')],
    ['an error message', () => String(new Error(`no ${taken}`, { cause: secret }))],
  ])('shows itself as redacted in %s', (_how, shown) => {
    expect(shown()).not.toContain('hunter2');
    expect(shown()).toContain('[redacted]');
  });

  test('has no member that holds the value', () => {
    expect(JSON.stringify([Object.entries(secret), Object.keys(secret), Reflect.ownKeys(secret)])).toBe(
      '[[],[],[]]',
    );
  });
});
