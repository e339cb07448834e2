import { describe, expect, test } from 'vitest';
import { matchesImage, parseImagePattern } from '../../../src/compute/spec/image-pattern.ts';
import { parseImageReference } from '../../../src/compute/spec/image-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const matches = (pattern: string, image: string) =>
  matchesImage(parseImagePattern(pattern), parseImageReference(image));

describe('is read by the rules of references', () => {
  test.each([
    ['nginx', 'nginx', true],
    ['nginx', 'docker.io/library/nginx:latest', true],
    ['nginx', 'nginx:1.27', false],
    ['docker.io/library/nginx:latest', 'nginx', true],
    ['docker.io/library/nginx:latest', 'index.docker.io/nginx', true],
    ['index.docker.io/*', 'nginx:1', true],
    ['docker.io/team/*', 'team/nginx:2', true],
    ['team/*', 'docker.io/team/nginx', true],
    ['registry:5000/nginx:latest', 'registry:5000/nginx', true],
    ['Registry/nginx:latest', 'Registry/nginx', true],
    ['localhost/*', 'localhost/nginx', true],
    ['[::1]:5000/*', '[::1]:5000/app', true],
    ['a.b/c', 'axb/c', false],
  ])('%s takes %s: %s', (pattern, image, taken) => {
    expect(matches(pattern, image)).toBe(taken);
  });
});

describe('`*` stands for any characters of one component', () => {
  test.each([
    ['registry.example/*', 'registry.example/app:1', true],
    ['registry.example/*', 'registry.example/team/app:1', false],
    ['registry.example/**', 'registry.example/team/app:1', true],
    ['registry.example/**', 'registry.example/app', true],
    ['registry.example/**/app', 'registry.example/a/b/app', true],
    ['registry.example/**/app', 'registry.example/app', false],
    ['registry.example/*-web:*', 'registry.example/shop-web:1.4', true],
    ['registry.example/*-web:*', 'registry.example/web:1.4', false],
    ['registry.example/a*b*c', 'registry.example/a-b-c', true],
    ['registry.example/a*b*c', 'registry.example/a-c-b', false],
    ['registry.example/a*a', 'registry.example/a', false],
    ['registry.example/*bc*c', 'registry.example/abc', false],
    ['docker.io/*', 'nginx', true],
    ['docker.io/*', 'team/nginx', false],
    ['docker.io/**', 'team/nginx', true],
    ['docker.io/library/**', 'team/nginx', false],
    ['*.example/app', 'registry.example/app', true],
    ['*.example/app', 'a.registry.example/app', false],
    ['**.example/app', 'a.registry.example/app', true],
    ['registry.example:*/app', 'registry.example:5000/app', true],
  ])('%s takes %s: %s', (pattern, image, taken) => {
    expect(matches(pattern, image)).toBe(taken);
  });
});

describe('never reaches over the end of a host, name, tag or digest', () => {
  test.each([
    ['nginx*', 'nginx.attacker.example/pwn'],
    ['nginx*', 'nginx/pwn'],
    ['nginx:*', 'nginx:5000/evil/pwn'],
    ['docker.io/*', 'EVIL/pwn'],
    ['docker.io/**', 'EVIL/pwn'],
    ['docker.io/**', 'docker.io.attacker.example/x'],
    ['docker.io/**', 'localhost/nginx'],
    ['registry.example*', 'registry.example.attacker.example/x'],
    ['registry.example*/**', 'registry.example.attacker.example/x'],
    ['registry.example*/**', 'registry.example:5000/x'],
    ['registry.example/*', 'registry.example.attacker.example/app:1'],
    ['registry.example/*', 'attacker/registry.example/app'],
    ['*/app:*', 'attacker.example/app:1'],
    ['**/app:*', 'attacker.example/app:1'],
    ['**:1', 'attacker.example/app:1'],
    ['app*', 'app/other'],
    ['app:1*', 'app:2'],
  ])('%s does not take %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(false);
  });
});

describe('a digest', () => {
  test.each([
    ['app:1.*', `app:1.0@${digest}`, false],
    ['app:*', `app@${digest}`, false],
    ['app', `app@${digest}`, false],
    ['app@*', `app@${digest}`, true],
    ['app@*', `app:1.0@${digest}`, true],
    ['app@sha256:*', `app@${digest}`, true],
    ['app@*', 'app:1.0', false],
    [`app@${digest}`, `app@${digest}`, true],
    [`app@${digest}`, `app@${digest.replace('0', '1')}`, false],
    [`app:1@${digest}`, `app:1@${digest}`, true],
    ['app:1.*@*', `app:1.0@${digest}`, true],
    ['app:1.*@*', `app:2.0@${digest}`, false],
    ['app:1.*@*', `app@${digest}`, false],
    ['app:1.*@*', 'app:1.0', false],
    ['registry.example/*', `registry.example/app@${digest}`, true],
    ['registry.example/**', `registry.example/team/app:1@${digest}`, true],
  ])('of %s: %s is taken: %s', (pattern, image, taken) => {
    expect(matches(pattern, image)).toBe(taken);
  });
});

test.each(['*', '**'])('%s alone is every image', (pattern) => {
  for (const image of ['nginx', 'EVIL/pwn', 'a.b:5000/c/d:1', `x/y/z@${digest}`]) {
    expect(matches(pattern, image)).toBe(true);
  }
});
