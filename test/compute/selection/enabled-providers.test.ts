import { describe, expect, test } from 'vitest';
import { tenantConfig } from '../../../src/compute/selection/enabled-providers.ts';
import type { EnabledProvider } from '../../../src/compute/selection/enabled-providers.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import type { Provider } from '../../../src/compute/provider.ts';
import { providerDefinitions } from '../../../src/compute/registry.ts';
import { documentedEcsConfig } from '../../api/manifests.ts';

/** The provider `name` with its block of the operator's config, as the config loader parses it. */
function enabled(name: string, block: object): EnabledProvider {
  const definition = providerDefinitions.find((candidate) => candidate.name === name);
  if (definition === undefined) throw new Error(`no provider ${name}`);
  const parsed = definition.operatorBlock.parse(block) as Readonly<Record<string, unknown>>;
  return { definition, block: parsed, provider: {} as Provider };
}

const ecsBlock = {
  cluster_arn: documentedEcsConfig.cluster_arn,
  task_definition_arn: documentedEcsConfig.task_definition_arn,
  service_name_prefix: 'landlord-tenant-',
};

function refusal(provider: EnabledProvider, block: Readonly<Record<string, unknown>>): ComputeError {
  try {
    tenantConfig(provider, block);
  } catch (error) {
    if (error instanceof ComputeError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('tenantConfig', () => {
  test("is the operator's block where the tenant has none", () => {
    expect(tenantConfig(enabled('docker', { image: 'nginx:latest' }), {})).toEqual({ image: 'nginx:latest' });
  });

  test("lays the tenant's block over the operator's", () => {
    const provider = enabled('docker', { image: 'nginx', labels: { a: '1', b: '1' }, volumes: ['x:/x'] });
    const config = tenantConfig(provider, { image: 'app', labels: { b: '2' }, volumes: ['y:/y'] });
    expect(config).toEqual({ image: 'app', labels: { a: '1', b: '2' }, volumes: ['y:/y'] });
  });

  test("takes one of the operator's defaults away where the tenant says null, for every provider", () => {
    const count = tenantConfig(enabled('ecs', { ...ecsBlock, desired_count: 3, tags: { a: '1', b: '1' } }), {
      desired_count: null,
      tags: { a: null },
    });
    expect(count).toEqual({ ...ecsBlock, tags: { b: '1' } });
    const docker = enabled('docker', { image: 'nginx', volumes: ['x:/x'] });
    expect(tenantConfig(docker, { volumes: null })).toEqual({ image: 'nginx' });
    expect(tenantConfig(enabled('mock', { desired: 2 }), { desired: null })).toEqual({});
  });

  test('misses what must be there, once a tenant has unset it', () => {
    const { message } = refusal(enabled('ecs', ecsBlock), { cluster_arn: null });
    expect(message).toContain('spec.computeConfig.ecs.cluster_arn');
  });

  test("keeps the operator's own keys to itself", () => {
    const registries = { 'registry.example': { username: 'u', password: 'hunter2' } };
    const provider = enabled('docker', { image: 'nginx', host: 'tcp://engine:2375', registries });
    expect(tenantConfig(provider, {})).toEqual({ image: 'nginx' });
  });

  test("merges the same blocks once, and another operator's block or provider for itself", () => {
    const block = { image: 'app' };
    const provider = enabled('docker', { image: 'nginx', volumes: ['x:/x'] });
    const config = tenantConfig(provider, block);
    expect(tenantConfig({ ...provider }, block)).toBe(config);
    expect(tenantConfig(enabled('docker', { image: 'nginx' }), block)).toEqual({ image: 'app' });
    expect(tenantConfig({ ...enabled('mock', {}), block: provider.block }, block)).not.toEqual(config);
    expect(tenantConfig(provider, block)).toEqual(config);
  });

  test('takes the documented compute_config of ECS', () => {
    expect(tenantConfig(enabled('ecs', ecsBlock), documentedEcsConfig)).toEqual(documentedEcsConfig);
  });

  test.each([
    ['an unknown key', { imgae: 'x' }, 'spec.computeConfig.docker.imgae: is not a known key'],
    [
      "one of the operator's own keys",
      { host: 'tcp://x' },
      'spec.computeConfig.docker.host: is not a known key',
    ],
    ['a wrong type', { env: { A: 1 } }, 'spec.computeConfig.docker.env.A: must be a string'],
    [
      'a bad value',
      { ports: [{ container_port: 0 }] },
      'spec.computeConfig.docker.ports[0].container_port: must be at least 1',
    ],
  ])('refuses %s as InvalidSpec, naming the path', (_what, block, message) => {
    expect(refusal(enabled('docker', { image: 'nginx' }), block)).toMatchObject({
      code: 'InvalidSpec',
      message,
    });
  });

  test.each(providerDefinitions.map(({ name, ...definition }) => ({ name, ...definition })))(
    'merges of $name only keys that its tenants have too',
    ({ sharedKeys, tenantBlock }) => {
      const shape = (tenantBlock as unknown as { shape: object }).shape;
      expect(sharedKeys).toEqual(Object.keys(shape));
    },
  );
});
