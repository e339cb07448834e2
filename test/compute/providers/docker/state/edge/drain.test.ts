import { expect, it } from 'vitest';
import { drainLeftMs } from '../../../../../../src/compute/providers/docker/state/edge/drain.ts';
import { observedContainer } from '../../observed-fixture.ts';

const named = (name: string, namedForMs: number | undefined, drain?: string) => ({
  ...observedContainer({ name, labels: drain === undefined ? {} : { 'landlord.drain': drain } }),
  ...(namedForMs === undefined ? {} : { namedForMs }),
});

it.each([
  [
    'its whole time where nobody has seen either of them',
    named('a_old', undefined, '5'),
    named('a', undefined, '5'),
    5_000,
  ],
  ['what is left of it', named('a_old', 2_000, '5'), named('a', 1_000, '5'), 4_000],
  ['what its own label says', named('a_old', 0, '60'), named('a', 0, '5'), 60_000],
  ['nothing once that is over', named('a_old', 9_000, '5'), named('a', 5_000, '5'), 0],
  ['nothing where it was behind no proxy', named('a_old', undefined), named('a', 0, '5'), 0],
  ['nothing where its successor is behind none', named('a_old', 0, '5'), named('a', undefined), 0],
  ['nothing where nobody has its name', named('a_old', 0, '5'), named('b', 0, '5'), 0],
  ['no more than a manifest could ask for', named('a_old', 0, '99999'), named('a', 0, '5'), 3_600_000],
  ['the default where its label is none of ours', named('a_old', 0, 'long'), named('a', 0, '5'), 10_000],
])('what was succeeded has %s', (_what, old, heir, leftMs) => {
  expect(drainLeftMs(old, [old, heir])).toBe(leftMs);
});
