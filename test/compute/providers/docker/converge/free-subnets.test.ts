import { expect, it } from 'vitest';
import {
  freeSubnets,
  isLowerAddress,
} from '../../../../../src/compute/providers/docker/converge/free-subnets.ts';

const first = (pool: string, taken: readonly string[]): string | undefined =>
  freeSubnets(pool, taken, 28).next().value as string | undefined;

it('the lowest free /28 comes first', () => {
  expect(first('10.210.0.0/16', [])).toBe('10.210.0.0/28');
  expect(first('10.210.0.0/16', ['10.210.0.0/28', '10.210.0.16/28'])).toBe('10.210.0.32/28');
  expect(first('10.210.0.0/16', ['10.210.0.16/28'])).toBe('10.210.0.0/28');
});

it('what overlaps a wider, a narrower or a misaligned network is not free', () => {
  expect(first('10.210.0.0/16', ['10.210.0.0/24'])).toBe('10.210.1.0/28');
  expect(first('10.210.0.0/16', ['10.210.0.5/32'])).toBe('10.210.0.16/28');
  expect(first('10.210.0.0/16', ['10.210.0.7/30'])).toBe('10.210.0.16/28');
});

it('other addresses, and those that are not IPv4, are no hindrance', () => {
  expect(first('10.210.0.0/16', ['10.209.255.240/28', '172.17.0.0/16', 'fd00::/64'])).toBe('10.210.0.0/28');
});

it('a full pool has none, and a pool of 256 addresses has 16', () => {
  expect(first('10.210.0.0/28', ['10.210.0.0/28'])).toBeUndefined();
  expect([...freeSubnets('192.168.7.0/24', [], 28)]).toHaveLength(16);
});

it('a larger one begins where one of its size can', () => {
  const larger = (taken: readonly string[]): unknown => freeSubnets('10.210.0.0/16', taken, 26).next().value;
  expect(larger(['10.210.0.0/28'])).toBe('10.210.0.64/26');
  expect([...freeSubnets('10.0.0.0/28', [], 27)]).toEqual([]);
});

it('an address is lower by its numbers, and only where it is IPv4', () => {
  expect(isLowerAddress('10.0.0.9', '10.0.0.10')).toBe(true);
  expect(isLowerAddress('10.0.0.10', '10.0.0.9')).toBe(false);
  expect(isLowerAddress('10.0.0.9', '10.0.0.9')).toBe(false);
  expect(isLowerAddress('fd00::1', 'fd00::2')).toBe(false);
});
