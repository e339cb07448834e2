import { describe, expect, test } from 'vitest';
import { parseImageReference } from '../../../src/compute/spec/image-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('a reference is taken apart as the docker command does', () => {
  test.each([
    ['nginx', { registry: 'docker.io', repository: 'library/nginx', name: 'nginx', tag: 'latest' }],
    ['nginx:1.27', { registry: 'docker.io', repository: 'library/nginx', name: 'nginx', tag: '1.27' }],
    ['docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx', name: 'nginx', tag: 'latest' }],
    [
      'index.docker.io/library/nginx:1',
      { registry: 'docker.io', repository: 'library/nginx', name: 'nginx', tag: '1' },
    ],
    ['team/app:1.4', { registry: 'docker.io', repository: 'team/app', name: 'team/app', tag: '1.4' }],
    ['localhost/app', { registry: 'localhost', repository: 'app', name: 'localhost/app', tag: 'latest' }],
    [
      'localhost:5000/app:1',
      { registry: 'localhost:5000', repository: 'app', name: 'localhost:5000/app', tag: '1' },
    ],
    [
      '127.0.0.1:5000/a/b',
      { registry: '127.0.0.1:5000', repository: 'a/b', name: '127.0.0.1:5000/a/b', tag: 'latest' },
    ],
    ['Registry/app', { registry: 'Registry', repository: 'app', name: 'Registry/app', tag: 'latest' }],
    ['index.docker.io/x', { registry: 'docker.io', repository: 'library/x', name: 'x', tag: 'latest' }],
    [
      'registry:5000/app',
      { registry: 'registry:5000', repository: 'app', name: 'registry:5000/app', tag: 'latest' },
    ],
    [
      `app@${digest}`,
      { registry: 'docker.io', repository: 'library/app', name: 'app', tag: undefined, digest },
    ],
    ['[::1]:5000/app:1', { registry: '[::1]:5000', repository: 'app', name: '[::1]:5000/app', tag: '1' }],
    [
      'r.example/a/c_d__e-f.g:V1',
      { registry: 'r.example', repository: 'a/c_d__e-f.g', name: 'r.example/a/c_d__e-f.g', tag: 'V1' },
    ],
    [
      `r.example/app@${digest}`,
      { registry: 'r.example', repository: 'app', name: 'r.example/app', tag: undefined, digest },
    ],
    [
      `r.example:5000/app:1@${digest}`,
      { registry: 'r.example:5000', repository: 'app', name: 'r.example:5000/app', tag: '1', digest },
    ],
  ])('%s', (reference, expected) => {
    expect(parseImageReference(reference)).toEqual({ digest: undefined, ...expected });
  });
});

test('registry and name may have 255 characters together', () => {
  const longest = `r.example/${'a'.repeat(245)}`;
  expect(parseImageReference(longest).name).toBe(longest);
});

describe('what is no reference is InvalidSpec, naming it and the part that is wrong', () => {
  test.each([
    ['', /name/],
    ['App:1', /name/],
    ['registry.example/', /name/],
    ['app:', /tag/],
    ['app:-1', /tag/],
    [`app:${'a'.repeat(129)}`, /tag/],
    ['app@sha256:12', /digest/],
    [`app@${digest}@${digest}`, /digest/],
    ['http://registry.example/app', /name|registry/],
    ['a//b', /name/],
    ['-bad.example/app', /registry/],
    ['x'.repeat(260), /longer/],
    [`r.example/${'a'.repeat(246)}`, /longer/],
    [`App.example_/app`, /registry/],
    ['4f06b49211c9', /id is no name/],
    ['a'.repeat(64), /id is no name/],
    ['sha256:4f', /id is no name/],
    [digest, /id is no name/],
  ])('%s', (reference, message) => {
    expect(() => parseImageReference(reference)).toThrow(
      expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) }),
    );
  });
});
