import { expect, test } from 'vitest';
import { repositoryOf } from '../../dev/release/image-repository.ts';

test.each(['landlord', 'registry.example/landlord', 'registry.example:5000/team/landlord'])(
  'a repository is taken: %s',
  (text) => {
    expect(repositoryOf(text)).toBe(text);
  },
);

test.each(['', 'registry.example/landlord:1', 'landlord:1', 'a/b@sha256:0', 'A/b', 'a//b', '/a'])(
  'anything else is refused in words: %j',
  (text) => {
    expect(() => repositoryOf(text)).toThrow(`--image ${text}: must be a repository`);
  },
);
