import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load-config.ts';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { rolloutLimits, rolloutMetrics } from '../../src/operator/rollouts.ts';

const limitsIn = (text: string) =>
  rolloutLimits(parseConfig(text, 'config.yaml', { providers: providerDefinitions, environment: {} }));

test('a provider has the limits that the config names, and others none', () => {
  const mock = 'compute: {mock: {}}';
  expect(limitsIn(mock)).toEqual(new Map());
  const rollout = 'rollout: {ecs: {max_concurrent: 5}, mock: {max_concurrent: 1, max_failures: 3}}';
  expect(limitsIn(`${mock}\ncontroller: {${rollout}}`)).toEqual(
    new Map([
      ['ecs', { maxConcurrent: 5, maxFailures: 1 }],
      ['mock', { maxConcurrent: 1, maxFailures: 3 }],
    ]),
  );
});

test('what is measured of a rollout bears its provider', async () => {
  const metrics = createMetrics();
  rolloutMetrics(metrics)('ecs', { waiting: 7, inProgress: 2, failed: 1, halted: true });
  const text = await metrics.registry.metrics();
  for (const [name, value] of Object.entries({ waiting: 7, in_progress: 2, failed: 1, halted: 1 }))
    expect(text).toContain(`landlord_rollout_${name}{provider="ecs"} ${value}\n`);
});
