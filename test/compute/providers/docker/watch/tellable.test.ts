import { expect, it } from 'vitest';
import { tellable } from '../../../../../src/compute/providers/docker/watch/tellable.ts';
import { observedContainer as seen } from '../observed-fixture.ts';

const probed = (lastProbe: string, secrets: readonly string[] = []) =>
  tellable(seen({ name: 'app' }, { lastProbe }), secrets).inspected?.lastProbe;

it('of what a probe said, the first line is told, and not all of a long one', () => {
  expect(probed('\n no answer\nat all')).toBe('no answer');
  expect(probed('x'.repeat(201))).toBe('x'.repeat(200));
  expect(probed('')).toBe('');
});

it('what it said is cut after the secrets are out of it', () => {
  const secret = 's'.repeat(300);
  expect(probed(`${'x'.repeat(150)}${secret}`, [secret])).toBe(`${'x'.repeat(150)}[redacted]`);
});
