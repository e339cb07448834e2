import { assert, property, string } from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { redact, redactExcerpt } from '../../../src/compute/observation/redact.ts';
import { quotedForms } from '../../../src/compute/observation/secret-forms.ts';

const pem = '-----BEGIN KEY-----\n  MIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
const jwt = `eyJhbGciOi${'J'.repeat(300)}.sig`;

describe('redact', () => {
  test.each<[what: string, secret: string, text: string, clean: string]>([
    ['the value', 'hunter2', 'bad hunter2, hunter2', 'bad [redacted], [redacted]'],
    ['its second line', pem, 'cannot use MIIEvQIBADANBg', 'cannot use [redacted]'],
    ['all of its lines on one', pem, `got ${pem.replaceAll('\n', ' ')}`, 'got [redacted] '],
    ['a line whose blanks were folded', 'a   long  line\nb', 'x a long line', 'x [redacted]'],
    ['its form in JSON', 'quo"ted\n!', '{"p":"quo\\"ted\\n!"}', '{"p":"[redacted]"}'],
    ['a line of that', 'a"b"c\n"second"', 'x a\\"b\\"c', 'x [redacted]'],
    ['its base64', 'hunter2!', 'aHVudGVyMiE= is bad', '[redacted]= is bad'],
    ['its base64 of URLs', 'a?b>c~~~', 'YT9iPmN-fn4', '[redacted]'],
    ['its form in a URL', 'a b&c/d', 'http://h/?p=a%20b%26c%2Fd', 'http://h/?p=[redacted]'],
    ['its form in JSON of Go', 'a&b<c>d', '{"p":"a\\u0026b\\u003cc\\u003ed"}', '{"p":"[redacted]"}'],
    ['its form in %q of Go', 'a\u0001b\u001bc\u200bd\ve', 'x "a\\x01b\\x1bc\\u200bd\\ve"', 'x "[redacted]"'],
    ['its form in JSON of ASCII', 'päss😀', '"p\\u00e4ss\\ud83d\\ude00"', '"[redacted]"'],
    ['its form in JSON in JSON', 'a"b<c', JSON.stringify(JSON.stringify('a"b<c')), '"\\"[redacted]\\""'],
    ['its form in JSON in JSON of Go', 'a"b<c', 'x a\\\\\\"b\\\\u003cc', 'x [redacted]'],
    [
      'its form in HTML',
      `a&b"c'd`,
      '<p>a&amp;b&quot;c&#39;d or a&amp;b&#34;c&#39;d',
      '<p>[redacted] or [redacted]',
    ],
    ['its base64 behind a user', 'hunter2-hunter2', btoa('u:hunter2-hunter2'), 'dTp[redacted]I='],
    [
      'its base64 between other things',
      'hunter2-hunter2',
      btoa('me:hunter2-hunter2:x'),
      'bWU6[redacted]Ong=',
    ],
    ['the longer of two', 'hunter2hunter2', 'hunter2hunter2', '[redacted]'],
  ])('takes out %s', (_what, secret, text, clean) => {
    expect(redact(text, [secret, 'hunter2'])).toBe(clean);
  });

  test('takes out each form of any value, as the forms make it', () => {
    assert(
      property(string({ unit: 'grapheme', minLength: 4 }), string(), (secret, before) => {
        const word = `<${secret}"`;
        for (const form of quotedForms(word)) expect(redact(`${before} ${form}`, [word])).not.toContain(form);
      }),
    );
  });

  test('looks once at each line of a secret, however many there are', () => {
    const secret = Array.from({ length: 100_000 }, (_, line) => `<${line.toString(36).padStart(4, '0')}`);
    const asked = vi.spyOn(String.prototype, 'includes');
    onTestFinished(() => asked.mockRestore());
    const clean = redact('the line \\u003c00ab is bad', [secret.join('\n')]);
    expect(asked.mock.calls.length).toBeLessThan(1_000);
    expect(clean).toBe('the line [redacted] is bad');
    expect(redactExcerpt('the line <00', [secret.join('\n')])).toBe('the line <00');
  });

  test('leaves values and lines of up to three characters, which are in every other word', () => {
    expect(redact('the cat is in', ['cat', 'is\nit', ''])).toBe('the cat is in');
  });

  test('of a value that is no text of its own, nothing is left', () => {
    assert(
      property(string({ minLength: 4 }), string(), string(), (secret, before, after) => {
        const word = `<${secret}>`;
        expect(redact(`${before}${word}${after}`, [word])).not.toContain(word);
      }),
    );
  });
});

describe('redactExcerpt', () => {
  test.each<[what: string, secret: string, text: string, clean: string]>([
    ['its start at the end', jwt, `token ${jwt.slice(0, 60)}`, 'token [redacted]'],
    ['its end at the start', jwt, `${jwt.slice(-40)} is no token`, '[redacted] is no token'],
    ['the start of a line', pem, 'key kqhkiG9', 'key [redacted]'],
    ['both', jwt, `${jwt.slice(-9)} or ${jwt.slice(0, 9)}`, '[redacted] or [redacted]'],
    ['nothing else', jwt, jwt.slice(5, 50), jwt.slice(5, 50)],
    ['nothing of a text without it', jwt, 'no answer', 'no answer'],
    ['all of it', jwt, jwt.slice(0, 20), '[redacted]'],
  ])('takes out %s', (_what, secret, text, clean) => {
    expect(redactExcerpt(text, [secret])).toBe(clean);
  });
});
