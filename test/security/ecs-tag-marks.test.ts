import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';

/** A Tenant can't have the operator take away, or write over, a tag that is an admin's. */

const admins = { key: 'dlp:quarantine', value: 'admin' };
const digest = (key: string, digits: number): string =>
  createHash('sha256').update(key).digest('hex').slice(0, digits);

/** Another key that begins with the same hex digits of its hash. */
function twinOf(key: string, digits: number): string {
  const wanted = digest(key, digits);
  for (let n = 0; ; n += 1) if (digest(`k${n}`, digits) === wanted) return `k${n}`;
}

const twin = twinOf(admins.key, 5);
const policy = { ecs: { allowed_tag_keys: ['k*', 'team'] } };
const tagged = (tags: Record<string, string | null>) => ({ computeConfig: { ecs: { tags } } });

/** Of a service that an earlier version made: five digits of each key in one tag. */
function asBefore(operator: ReturnType<typeof ecsOperator>, ...keys: string[]): void {
  const service = operator.service();
  const others = (service?.tags ?? []).filter(({ key = '' }) => !key.startsWith('landlord.tag_'));
  const value = keys
    .map((key) => digest(key, 5))
    .toSorted()
    .join('');
  Object.assign(service ?? {}, { tags: [...others, { key: 'landlord.tag_keys', value }] });
}

const keysOn = (operator: ReturnType<typeof ecsOperator>) =>
  (operator.service()?.tags ?? [])
    .map(({ key = '' }) => key)
    .filter((key) => !/^landlord\.(?!tag_)/.test(key));

describe('a key whose short hash is that of an admin’s tag', () => {
  test('takes nothing away while it is there, nor when it goes', async () => {
    const operator = ecsOperator({ policy });
    await operator.apply(tagged({ [twin]: 'v' }));
    operator.service()?.tags?.push(admins);
    expect(await operator.apply(tagged({ [twin]: 'w' }))).toBe('taken');
    expect(operator.service()?.tags).toContainEqual(admins);
    expect(await operator.apply(tagged({}))).toBe('taken');
    expect(keysOn(operator)).toEqual([admins.key]);
  });

  test('takes nothing away on a service that has the short marks of an earlier version', async () => {
    const operator = ecsOperator({ policy });
    await operator.apply(tagged({ [twin]: 'v' }));
    asBefore(operator, twin);
    operator.service()?.tags?.push(admins);
    operator.writes();
    expect(await operator.apply(tagged({ [twin]: 'v' }))).toBe('taken');
    expect(operator.writes()).toEqual([]);
    expect(await operator.apply(tagged({}))).toBe('taken');
    expect(operator.service()?.tags).toContainEqual(admins);
  });
});

describe('the short marks of an earlier version', () => {
  test('are right as they are: an upgrade writes nothing', async () => {
    const operator = ecsOperator({ policy });
    const spec = tagged({ team: 'a', k1: 'b' });
    await operator.apply(spec);
    asBefore(operator, 'team', 'k1');
    operator.writes();
    expect(await operator.apply(spec)).toBe('taken');
    expect(operator.writes()).toEqual([]);
  });

  test('still tell what came from the spec, and give way to long ones with the next write', async () => {
    const operator = ecsOperator({ policy });
    await operator.apply(tagged({ team: 'a', k1: 'b' }));
    asBefore(operator, 'team', 'k1');
    operator.service()?.tags?.push(admins);
    expect(await operator.apply(tagged({ team: 'a' }))).toBe('taken');
    expect(keysOn(operator).toSorted()).toEqual([admins.key, 'landlord.tag_marks', 'team']);
    expect(operator.service()?.tags).toContainEqual({ key: 'landlord.tag_marks', value: digest('team', 16) });
  });
});

test('a key of a name that every object has goes like any other', async () => {
  const operator = ecsOperator({ policy: { ecs: { allowed_tag_keys: ['*'] } } });
  await operator.apply(tagged({ constructor: 'x', team: 'a' }));
  expect(await operator.apply(tagged({ team: 'a' }))).toBe('taken');
  expect(keysOn(operator)).toEqual(['team', 'landlord.tag_marks']);
});
