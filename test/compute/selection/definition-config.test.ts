import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../../src/api/crd/json-schema.ts';
import { providerDefinitions } from '../../../src/compute/registry.ts';
import {
  configDefaults,
  configSchema,
  validateConfig,
} from '../../../src/compute/selection/definition-config.ts';

/** For each provider: a block of the operator's, and a compute_config over it, with one value that is wrong. */
const samples: Readonly<Record<string, Sample>> = {
  docker: {
    operator: { image: 'nginx:1', host: 'unix:///run/docker.sock', restart_policy: 'always' },
    defaults: { image: 'nginx:1', restart_policy: 'always' },
    good: { image: 'nginx:2', env: { A: 'b' } },
    bad: { restart_policy: 'sometimes' },
    path: 'spec.computeConfig.docker.restart_policy',
  },
  ecs: {
    operator: { cluster_arn: 'arn:c', task_definition_arn: 'arn:t', region: 'eu-west-1', max_attempts: 3 },
    defaults: { cluster_arn: 'arn:c', task_definition_arn: 'arn:t', region: 'eu-west-1' },
    good: {
      cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
      task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/app:1',
      service_name: 'a',
    },
    bad: { desired_count: -1 },
    path: 'spec.computeConfig.ecs.desired_count',
  },
  mock: {
    operator: { desired: 2, whatever: true },
    defaults: { desired: 2 },
    good: { desired: 3 },
    bad: { health: 'ill' },
    path: 'spec.computeConfig.mock.health',
  },
};

interface Sample {
  readonly operator: Readonly<Record<string, unknown>>;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly good: Readonly<Record<string, unknown>>;
  readonly bad: Readonly<Record<string, unknown>>;
  readonly path: string;
}

describe.each(providerDefinitions.map((definition) => ({ name: definition.name, definition })))(
  'the compute_config of $name',
  ({ name, definition }) => {
    const sample = samples[name];

    test('has a sample here', () => {
      expect(sample).toBeDefined();
    });
    if (sample === undefined) return;

    test('is validated as a whole, and what is wrong is named by its path', () => {
      expect(validateConfig(definition, sample.good)).toMatchObject(sample.good);
      expect(() => validateConfig(definition, { ...sample.good, ...sample.bad })).toThrow(
        expect.objectContaining({ code: 'InvalidSpec', message: expect.stringContaining(sample.path) }),
      );
    });

    test("has as its defaults what the operator's block says, and not what is the operator's alone", () => {
      expect(configDefaults(definition, sample.operator)).toEqual(sample.defaults);
    });

    test('has a schema that describes each of its keys', () => {
      const { type, properties = {} } = configSchema(definition);
      expect(type).toBe('object');
      expect(Object.keys(properties)).toEqual(definition.sharedKeys);
      for (const property of Object.values<JsonSchema>(properties)) expect(property.description).toBeTruthy();
    });
  },
);
