import { expect, test } from 'vitest';
import { stableText } from '../../../src/compute/observation/stable-text.ts';

test.each([
  ['blanks and line ends', ' a  b\n\tc ', 'a b c'],
  [
    'a user and a password',
    'Get "https://user:secret@registry.example/v2/": denied',
    'Get "https://registry.example/v2/": denied',
  ],
  ['a user alone', 'git://token@host/x', 'git://host/x'],
  [
    'a signature',
    'GET https://bucket.example/layer?X-Amz-Signature=abc&x=1 failed',
    'GET https://bucket.example/layer failed',
  ],
  [
    'a quoted one',
    'Get "https://auth.example/token?scope=pull": denied',
    'Get "https://auth.example/token": denied',
  ],
])('%s is made fit for a status', (_what, text, clean) => {
  expect(stableText(text)).toBe(clean);
});

test.each(['a question? yes', 'app@sha256:0123', 'mail me@example.org', 'registry.example/app:1'])(
  '%s stays as it is',
  (text) => {
    expect(stableText(text)).toBe(text);
  },
);

test('an engine’s own rules come on top, each wherever it fits, and leave no double blanks', () => {
  const own = [
    [/request id: \w+/g, ''],
    [/\b\d{4}\b/g, '…'],
  ] as const;
  expect(stableText('no 1234, request id: abc of 5678', own)).toBe('no …, of …');
});

test('what is longer than it may be is cut, and does not end in a blank', () => {
  expect(stableText('abc def', [], 5)).toBe('abc d');
  expect(stableText('abc def', [], 4)).toBe('abc');
});

test.each([
  [
    'a password with an @ in it',
    'https://user:p@ss@registry.example/v2/@x',
    'https://registry.example/v2/@x',
  ],
  [
    'a signature with an address in it',
    'https://a.example/x?next=https://b:c@d.example/y',
    'https://a.example/x',
  ],
  ['several', 'a://b@c/d?e "f://g@h?i"', 'a://c/d "f://h"'],
  ['an address without a host', 'file:///etc/x?y', 'file:///etc/x'],
])('credentials go, also those of %s', (_what, text, clean) => {
  expect(stableText(text)).toBe(clean);
});
