import { describe, expect, it } from 'vitest';
import { arnPatternFault, fillArn } from '../../../../../src/compute/providers/ecs/address/arn-pattern.ts';

const ssm = 'arn:aws:ssm:us-west-2:123456789012:parameter';

describe('two Secrets can not share an ARN', () => {
  it.each([
    '{namespace}-{name}',
    '{namespace}{name}',
    '{name}.{key}',
    '{name}-{namespace}',
    '{namespace}-db-{key}',
    '{namespace}/{name}-{key}',
    // Each joint is clear from one side, and no side is clear for both.
    '{key}.{namespace}.{name}',
  ])('by %s, which is refused', (pattern) => {
    expect(arnPatternFault(`${ssm}/${pattern}`)).toMatch(/^joins \{\w+\} and \{\w+\} by .*such as '\/'$/);
  });

  it.each([
    'all',
    '{namespace}',
    '{namespace}/{name}/{key}',
    '{namespace}/{name}:{key}::',
    '{namespace}_{name}/{key}',
    '{namespace}.{name}_{key}',
    '{name}.{namespace}',
    '{key}_{name}',
    '{namespace}-/-{name}',
    '{namespace}/{namespace}-{name}',
    '{name}-{namespace}/{namespace}',
  ])('by %s', (pattern) => {
    expect(arnPatternFault(`${ssm}/${pattern}`)).toBeUndefined();
  });
});

it.each(['{tenant_id}', '{Namespace}', '{__proto__}', '{namespace', 'name}', '{}'])(
  '%s is no placeholder',
  (pattern) => {
    expect(arnPatternFault(pattern)).toMatch(/the placeholders are \{namespace\}, \{name\} and \{key\}$/);
  },
);

it('parts are filled in as they are, once', () => {
  const parts = { namespace: 'team-a', name: '{key}', key: '$&' };
  expect(fillArn('{namespace}/{name}/{key}/{namespace}', parts)).toBe('team-a/{key}/$&/team-a');
});

/** Every way of two namespaces and two names to be joined: none that is taken makes one ARN of two of them. */
it('whatever is taken is unambiguous, by trial', () => {
  const words = ['a', 'b', 'a-b', 'b-a', 'a-b-a', 'a.b', 'b.a', 'a.b.a', 'a_b'];
  const of = { namespace: words.slice(0, 5), name: words.slice(0, 8), key: words };
  const placeholders = ['{namespace}', '{name}', '{key}'] as const;
  const joiners = ['', '-', '.', '_', '/', '-.', 'a'];
  const orders = placeholders.flatMap((one) =>
    placeholders
      .filter((two) => two !== one)
      .map((two) => [one, two, placeholders.find((last) => last !== one && last !== two) ?? one]),
  );
  for (const [one, two, three] of orders) {
    for (const first of joiners) {
      for (const second of joiners) {
        const pattern = `${one}${first}${two}${second}${three}`;
        if (arnPatternFault(pattern) !== undefined) continue;
        const all = of.namespace.flatMap((namespace) =>
          of.name.flatMap((name) => of.key.map((key) => fillArn(pattern, { namespace, name, key }))),
        );
        expect(new Set(all).size, pattern).toBe(all.length);
      }
    }
  }
});
