import { describe, expect, it } from 'vitest';
import { roomIn, roomOfPool } from '../../../../../../src/compute/providers/docker/state/network/subnets.ts';

describe('of a pool', () => {
  it('all is left as long as nothing overlaps it', () => {
    expect(roomOfPool('10.210.0.0/16', ['10.209.0.0/16', '10.211.0.0/28', 'fd00::/64'])).toEqual({
      networks: { free: 4_096, total: 4_096 },
      addresses: { free: 65_536, total: 65_536 },
    });
  });

  it('each network takes its own, whatever its size, and what overlaps another takes nothing twice', () => {
    const taken = ['10.0.0.64/26', '10.0.0.0/28', '10.0.0.80/28', '10.0.0.0/28'];
    expect(roomOfPool('10.0.0.0/24', taken)).toEqual({
      networks: { free: 11, total: 16 },
      addresses: { free: 176, total: 256 },
    });
  });

  it('what lies across the borders of the smallest networks spoils each that it touches', () => {
    expect(roomOfPool('10.0.0.0/27', ['10.0.0.8/29', '10.0.0.16/32'])).toEqual({
      networks: { free: 0, total: 2 },
      addresses: { free: 23, total: 32 },
    });
  });

  it('nothing is left of one that a wider network covers', () => {
    expect(roomOfPool('10.0.0.0/24', ['10.0.0.0/8'])).toEqual({
      networks: { free: 0, total: 16 },
      addresses: { free: 0, total: 256 },
    });
  });

  it('with 4,000 networks as much is left as one by one would find', () => {
    const taken = Array.from({ length: 4_000 }, (_none, at) => `10.210.${at >> 4}.${(at % 16) * 16}/28`);
    expect(roomOfPool('10.210.0.0/16', taken).networks.free).toBe(96);
  });
});

it('a subnet has three addresses that no container gets', () => {
  expect(roomIn('10.0.0.0/28')).toBe(13);
  expect(roomIn('10.0.0.0/32')).toBe(0);
  expect(roomIn('fd00::/64')).toBe(Infinity);
});
