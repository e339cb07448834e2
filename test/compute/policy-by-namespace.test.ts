import { describe, expect, test } from 'vitest';
import { allowsRetain, policyFor, policyOf, widestPolicy } from '../../src/compute/policy-by-namespace.ts';
import type { NamespaceRules } from '../../src/compute/policy-by-namespace.ts';

const top = {
  allowed_images: ['all/*'],
  max_resources: { cpu: '1', memory: '1Gi' },
  default_resources: { cpu: '', memory: '' },
  docker: { paths: ['/all'], open: false, limits: { pids: 10 } },
};
const of = (namespace: string, ...namespaces: NamespaceRules[]) =>
  policyFor({ ...top, namespaces }, namespace);

test('is the top level where no entry is for the namespace', () => {
  const policy = { ...top, namespaces: [{ names: ['team-b'], allowed_images: ['b/*'] }] };
  expect(policyFor(policy, 'team-a')).toBe(policy);
  expect(policyFor(top, 'team-a')).toBe(top);
});

describe('an entry for the namespace', () => {
  test.each<[string, Omit<NamespaceRules, 'names'>, object]>([
    ['adds to lists', { allowed_images: ['a/*'] }, { allowed_images: ['all/*', 'a/*'] }],
    [
      'replaces a bound, and no other',
      { max_resources: { cpu: '4' } },
      { max_resources: { cpu: '4', memory: '1Gi' } },
    ],
    ['takes a bound off', { max_resources: { cpu: '' } }, { max_resources: { cpu: '', memory: '1Gi' } }],
    [
      "reaches into a provider's rules",
      { docker: { paths: ['/a'], open: true, limits: { pids: 20 } } },
      { docker: { paths: ['/all', '/a'], open: true, limits: { pids: 20 } } },
    ],
    ['closes what is open to all', { docker: { open: false } }, { docker: top.docker }],
    ['leaves alone what it does not say', { docker: { open: undefined } }, { docker: top.docker }],
    ['brings rules that the top level has not', { ecs: { roles: ['a'] } }, { ecs: { roles: ['a'] } }],
  ])('%s', (_what, rules, expected) => {
    expect(of('team-a', { names: ['team-a'], ...rules })).toMatchObject(expected);
    expect(of('team-b', { names: ['team-a'], ...rules })).toMatchObject(top);
  });

  test('is one of several, and the later goes before the earlier', () => {
    const merged = of(
      'team-a',
      { names: ['team-a', 'team-b'], allowed_images: ['ab/*'], max_resources: { cpu: '2' } },
      { names: ['team-b'], allowed_images: ['b/*'] },
      { names: ['team-a'], allowed_images: ['a/*'], max_resources: { cpu: '3' } },
    );
    expect(merged).toMatchObject({
      allowed_images: ['all/*', 'ab/*', 'a/*'],
      max_resources: { cpu: '3', memory: '1Gi' },
    });
  });
});

test('is made once for all namespaces that the same entries are for', () => {
  const policy = { ...top, namespaces: [{ names: ['a', 'b'], allowed_images: ['x'] }, { names: ['b'] }] };
  expect(policyFor(policy, 'a')).toBe(policyFor(policy, 'a'));
  expect(policyFor(policy, 'b')).not.toBe(policyFor(policy, 'a'));
});

test("a provider's own rules come with those that all share", () => {
  const rules = {
    ...top,
    namespaces: [{ names: ['a'], docker: { paths: ['/a'] }, allowed_images: ['a/*'] }],
  };
  const own = { paths: ['/own'] };
  expect(policyOf(rules, 'docker', own)('a')).toMatchObject({
    commonPolicy: { allowed_images: ['all/*', 'a/*'] },
    policy: { paths: ['/own', '/a'] },
  });
  expect(policyOf(rules, 'docker', own)('b').policy).toBe(own);
});

test('the widest is that of all namespaces together', () => {
  const namespaces = [
    { names: ['a'], ecs: { roles: ['a'] } },
    { names: ['b'], ecs: { roles: ['b'] } },
  ];
  expect(widestPolicy({ ...top, namespaces }, 'ecs', { roles: ['all'] })).toEqual({
    roles: ['all', 'a', 'b'],
  });
});

describe('an entry with a selector', () => {
  const labels: Readonly<Record<string, Record<string, string>>> = {
    a: { team: 'a' },
    both: { team: 'a' },
    other: { team: 'b' },
    bare: {},
  };
  const labelsOf = (namespace: string) => labels[namespace];
  const ofSelector = { names: ['both', 'named'], selector: 'team=a', allowed_images: ['a/*'] };
  const policy = { ...top, namespaces: [ofSelector], labelsOf };

  test.each(['a', 'both', 'named'])('is for %s', (namespace) => {
    expect(policyFor(policy, namespace).allowed_images).toEqual(['all/*', 'a/*']);
  });

  test.each(['other', 'bare'])('is not for %s', (namespace) => {
    expect(policyFor(policy, namespace)).toBe(policy);
  });

  test.each([
    ['namespace is not known', policy],
    ['labels are known of none', { ...top, namespaces: [ofSelector] }],
  ])('leaves it open what the policy is where the %s', (_what, rules) => {
    expect(() => policyFor(rules, 'nowhere')).toThrow(
      expect.objectContaining({
        code: 'AccessDenied',
        message: expect.stringContaining('the labels of namespace nowhere are not known'),
      }),
    );
  });

  test('follows the labels', () => {
    const moving = { now: { team: 'b' } };
    const rules = { ...policy, labelsOf: () => moving.now };
    expect(policyFor(rules, 'x').allowed_images).toEqual(['all/*']);
    moving.now = { team: 'a' };
    expect(policyFor(rules, 'x').allowed_images).toEqual(['all/*', 'a/*']);
  });

  test('is in the widest, and leaves none of its own keys in a policy', () => {
    expect(
      widestPolicy({ ...policy, namespaces: [{ ...ofSelector, ecs: { roles: ['a'] } }] }, 'ecs', {}),
    ).toEqual({
      roles: ['a'],
    });
    expect(policyFor(policy, 'a')).not.toHaveProperty('selector');
    expect(policyFor(policy, 'a')).not.toHaveProperty('names');
  });
});

test.each<[string, boolean | undefined, boolean | undefined, boolean | undefined]>([
  ['all may', true, undefined, undefined],
  ['all may, and those that are selected may not', true, false, undefined],
  ['nothing is said', undefined, undefined, undefined],
  ['nobody may', false, undefined, false],
  ['nobody may, those that are selected neither', false, false, false],
  ['those that are selected may', false, true, undefined],
])(
  'where %s, what unknown labels say of retaining is told as far as it is sure',
  (_what, all, selected, expected) => {
    const entry = { names: [], selector: 'team=a', allow_retain: selected };
    const policy = { ...top, allow_retain: all, namespaces: [entry] };
    expect(allowsRetain(policy, 'x')).toBe(expected);
  },
);
