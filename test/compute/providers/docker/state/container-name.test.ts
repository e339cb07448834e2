import { describe, expect, it } from 'vitest';
import {
  droppedName,
  isDropped,
  isNext,
  isOld,
  nextName,
  oldName,
  servingName,
} from '../../../../../src/compute/providers/docker/state/container-name.ts';

describe('names', () => {
  it.each([
    [nextName, isNext],
    [oldName, isOld],
    [droppedName, isDropped],
  ])('tell the part that a container has, and the name that it serves under: %o', (name, is) => {
    expect([isNext, isOld, isDropped].filter((one) => one(name('acme')))).toEqual([is]);
    expect(is('acme')).toBe(false);
    expect(servingName(name('acme'))).toBe('acme');
    expect(servingName('acme.next')).toBe('acme.next');
  });
});
