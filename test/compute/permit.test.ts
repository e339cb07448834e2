import { describe, expect, test } from 'vitest';
import { effects } from '../../src/api/status.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { allows, consentTo, permitUpTo, worstEffect } from '../../src/compute/permit.ts';
import type { Permit } from '../../src/compute/permit.ts';
import type { EcsApi } from '../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { anyConsent } from './permits.ts';

describe('a permit', () => {
  const pairs = effects.flatMap((granted, at) =>
    effects.map((asked, than) => ({ granted, asked, worse: than > at })),
  );

  test.each(pairs.filter(({ worse }) => !worse))(
    'up to $granted is consent to $asked',
    ({ granted, asked }) => {
      const permit = permitUpTo(granted);
      expect(allows(permit, asked)).toBe(true);
      expect(consentTo(permit, asked, 'stopping it')).toBeDefined();
    },
  );

  test.each(pairs.filter(({ worse }) => worse))('up to $granted is none to $asked', ({ granted, asked }) => {
    const permit = permitUpTo(granted);
    expect(allows(permit, asked)).toBe(false);
    const consenting = (): unknown => consentTo(permit, asked, 'removing the volumes of acme');
    expect(consenting).toThrow(ComputeError);
    expect(consenting).toThrow(
      `removing the volumes of acme has the effect ${asked}, which was not announced`,
    );
  });

  test('that nobody made allows nothing', () => {
    expect(allows({} as Permit, 'live')).toBe(false);
  });

  test('covers the worst of what is asked for', () => {
    expect(worstEffect(['gap', 'outage', 'live'])).toBe('outage');
    expect(worstEffect([])).toBe('live');
  });
});

test('no call that stops, replaces or removes compiles without consent, and none of a provider without a permit', () => {
  const { signal } = new AbortController();
  const calls: ((engine: Engine, api: EcsApi, provider: Provider) => unknown)[] = [
    // @ts-expect-error -- consent is missing
    (engine) => engine.stopContainer('id', 10, signal),
    // @ts-expect-error -- consent is missing
    (engine) => engine.removeContainer('id', signal),
    // @ts-expect-error -- consent is missing
    (engine) => engine.removeNetwork('id', signal),
    // @ts-expect-error -- consent is missing
    (engine) => engine.disconnectContainer('id', 'network', signal),
    // @ts-expect-error -- consent is missing
    (engine) => engine.removeVolume('name', signal),
    // @ts-expect-error -- a permit is no consent: the effect has to be named
    (engine) => engine.removeVolume('name', permitUpTo('data-loss'), signal),
    // @ts-expect-error -- consent is missing
    (_, api) => api.updateService({ region: 'r' }, { service: 's' }, signal),
    // @ts-expect-error -- consent is missing
    (_, api) => api.deleteService({ scope: { region: 'r' }, cluster: 'c', service: 's' }, signal),
    // @ts-expect-error -- consent is missing
    (_, api) => api.deregisterTaskDefinition({ region: 'r' }, 'arn', signal),
    // @ts-expect-error -- consent is missing
    (_, api) => api.deregisterScalableTarget({ scope: { region: 'r' }, cluster: 'c', service: 's' }, signal),
    // @ts-expect-error -- a permit is missing
    (_, __, provider) => provider.destroy(place, signal),
    // @ts-expect-error -- an object of one's own is no permit
    (_, __, provider) => provider.destroy(place, {}, signal),
  ];
  const place = { tenantId: 'acme', namespace: 'team-a', name: 'acme', placement: { provider: 'docker' } };
  expect(calls.length).toBeGreaterThan(0);
  expect(anyConsent).toBeDefined();
});
