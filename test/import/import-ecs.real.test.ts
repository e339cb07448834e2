import { CreateServiceCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { rootCredentials, startMinistack, startMoto } from '../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../dev/ecs-endpoint.ts';
import { createEcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { validateManifests } from '../../src/convert/validate.ts';
import { runImport } from '../../src/import/command.ts';

describe.each<[string, () => Promise<EcsEndpoint>]>([
  ['ministack', () => startMinistack({ mode: 'metadata' })],
  ['moto', () => startMoto({ running: 1 })],
])('landlord import ecs, at %s', (_name, start) => {
  let endpoint: EcsEndpoint;
  let fixture: EcsFixture;
  let definition: string;
  let serviceArn: string;

  beforeAll(async () => {
    endpoint = await start();
    fixture = await createEcsFixture(endpoint.url, { cluster: 'main' });
    definition = await fixture.registerTaskDefinition('registry.example/web:1', {
      family: 'web',
      containerDefinitions: [
        {
          name: 'web',
          image: 'registry.example/web:1',
          essential: true,
          environment: [{ name: 'A', value: '$1' }],
          portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
          stopTimeout: 60,
        },
      ],
    });
    const { service } = await fixture.client.send(
      new CreateServiceCommand({
        cluster: fixture.clusterArn,
        serviceName: 'Web',
        taskDefinition: definition,
        desiredCount: 1,
        launchType: 'FARGATE',
        networkConfiguration: {
          awsvpcConfiguration: {
            subnets: fixture.subnets.slice(0, 2),
            securityGroups: fixture.securityGroups.slice(0, 1),
          },
        },
        tags: [{ key: 'team', value: 'a' }],
      }),
    );
    serviceArn = service?.serviceArn ?? '';
  });
  afterAll(async () => {
    fixture?.close();
    await endpoint?.stop();
  });
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const landlord = async (...args: string[]) => {
    let out = '';
    const lines: string[] = [];
    const output = { out: (text: string) => (out += text), error: (line: string) => void lines.push(line) };
    const options = { blocks: tenantBlocks, environment: {}, output };
    const all = ['import', 'ecs', ...args, '--endpoint', endpoint.url];
    const code = await runImport(all, options, new AbortController().signal);
    return { code, out, lines };
  };

  test('prints the Tenant of a service and of its task definition, which the schema takes', async () => {
    const { code, out, lines } = await landlord(
      'Web',
      '--cluster',
      'main',
      '--region',
      fixture.region,
      '--strict',
    );
    expect(lines.filter((line) => line.includes(': dropped: '))).toEqual([]);
    expect(code).toBe(0);
    expect(validateManifests(out, tenantSchema(tenantBlocks))).toEqual({ tenants: 1, faults: [] });
    expect(parseAllDocuments(out, { version: '1.1' })[0]?.toJS()).toMatchObject({
      metadata: { name: 'web' },
      spec: {
        computeProvider: 'ecs',
        computeConfig: {
          ecs: {
            cluster_arn: fixture.clusterArn,
            task_definition_arn: definition,
            desired_count: 1,
            launch_type: 'FARGATE',
            subnets: fixture.subnets.slice(0, 2),
            security_groups: fixture.securityGroups.slice(0, 1),
            tags: { team: 'a' },
          },
        },
        containers: [
          {
            name: 'web',
            image: 'registry.example/web:1',
            env: [{ name: 'A', value: '$1' }],
            ports: [{ containerPort: 8080 }],
            stopGracePeriodSeconds: 60,
          },
        ],
      },
    });
  });

  test('finds cluster and region in an ARN', async () => {
    const byArn = await landlord(serviceArn);
    expect(byArn.out).toMatch(/^---\napiVersion: landlord\.dev/);
  });

  test('finds the region where the SDK does', async () => {
    vi.stubEnv('AWS_REGION', fixture.region);
    expect((await landlord('Web', '--cluster', 'main')).out).toContain(definition);
  });

  test('says what is not there, and where it looked', async () => {
    const at = ['--region', fixture.region];
    await expect(landlord('none', '--cluster', 'main', ...at)).rejects.toThrow(
      `ECS has no service none in the cluster main in region ${fixture.region}`,
    );
    await expect(landlord('Web', '--cluster', 'other', ...at)).rejects.toThrow(
      `ECS has no cluster other in region ${fixture.region}`,
    );
  });
});
