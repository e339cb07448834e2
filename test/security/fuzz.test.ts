import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { statusBounds } from '../../src/api/status.ts';
import type { TenantStatus } from '../../src/api/status.ts';
import { cutText } from '../../src/compute/observation/engine-text.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { refusal } from '../../src/compute/providers/docker/engine/engine-errors.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import type { EcsApi } from '../../src/compute/providers/ecs/engine/ecs-api.ts';
import { EcsRefusal, refusalError } from '../../src/compute/providers/ecs/engine/ecs-refusal.ts';
import { cutFailure } from '../../src/compute/providers/ecs/engine/told-texts.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { mockDefinition } from '../../src/compute/providers/mock/definition.ts';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import type { ReconcileDeps } from '../../src/controller/pass.ts';
import { createFormerIds } from '../../src/controller/owned/former-ids.ts';
import { reconcileTenant } from '../../src/controller/reconcile-tenant.ts';
import { createRollouts } from '../../src/controller/rollout/rollouts.ts';
import { createTenantIndex } from '../../src/controller/tenant-index.ts';
import { createTenantMemories } from '../../src/controller/tenant-memory.ts';
import { silentLogger } from '../cluster/silent-logger.ts';
import * as docker from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import * as ecs from '../compute/providers/ecs/ecs-fixture.ts';
import { memoryEcs } from '../compute/providers/ecs/memory-ecs.ts';
import { awsError } from '../compute/providers/ecs/aws-error.ts';
import { tenantWith } from '../controller/tenant-fixture.ts';
import { specs } from './manifest-arbitrary.ts';

/** Whatever the apiserver takes is read, decided on and sent in no time, and told of in few and plain words. */

const count = Number(process.env['FUZZ_MANIFESTS'] ?? 250);
const mostBytes = 2_000_000;
const mostMs = 50;
/** A pass that this takes, as a busy machine or a collection of garbage may have it, is made again. */
const tries = 3;

const specSchema = tenantSpecSchema(tenantBlocks);
const { signal } = new AbortController();

/** What an engine is sent, and whether it refuses all of it, repeating what it was sent. */
interface Line {
  largest: number;
  readonly refuses: boolean;
}

const changes = /^(create|start|update|connect|register)/;

/** `engine` with its requests measured. */
function measured<E extends object>(engine: E, line: Line, refuse: (text: string) => unknown): E {
  return new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const text = JSON.stringify(args.filter((arg) => !(arg instanceof AbortSignal)));
        line.largest = Math.max(line.largest, Buffer.byteLength(text));
        if (line.refuses && changes.test(String(key))) throw refuse(`no: ${text}: ${text}`);
        return (await Reflect.apply(member, target, args)) as unknown;
      };
    },
  });
}

const openDockerPolicy = {
  allowed_host_paths: ['/'],
  host_ports: ['1-65535'],
  max_ports: 1024,
  allow_host_network: true,
  allow_join_network: true,
};
const openEcsPolicy = { allowed_tag_keys: ['*'] };

function providersOn(line: Line): EnabledProviders {
  const engine = measured<Engine>(memoryEngine(), line, (text) =>
    refusal({ status: 500, text: cutText(text) }, 'x'),
  );
  const aws = measured<EcsApi>(memoryEcs(), line, (text) => {
    const error = cutFailure(awsError('InvalidParameterException', { message: text }));
    return refusalError(new EcsRefusal(error, { action: 'ecs:Any', region: 'us-west-2' }), 'ProvisionFailed');
  });
  const [onDocker, onEcs] = [docker.settings({}, openDockerPolicy), ecs.settings({}, openEcsPolicy)];
  return new Map([
    [
      'docker',
      {
        definition: dockerDefinition,
        provider: dockerProvider(engine, onDocker.block, onDocker.policy, docker.context()),
        block: onDocker.block,
      },
    ],
    [
      'ecs',
      {
        definition: ecsDefinition,
        provider: ecsProvider(aws, onEcs.block, onEcs.policy, ecs.context()),
        block: onEcs.block,
      },
    ],
    [
      'mock',
      {
        definition: mockDefinition,
        provider: createMockProvider({ block: {}, policy: {} }, docker.context()),
        block: {},
      },
    ],
  ]) as EnabledProviders;
}

/** A Secret with whatever key is asked for. */
const secret = {
  metadata: { name: 'any', resourceVersion: '1' },
  type: 'kubernetes.io/dockerconfigjson',
  data: new Proxy<Record<string, string>>(
    {},
    { get: (_data, key) => btoa(key === '.dockerconfigjson' ? '{}' : 'a secret of 20 signs') },
  ),
};

/** A ConfigMap with whatever key is asked for. */
const configMap = { data: new Proxy<Record<string, string>>({}, { get: () => 'a text' }) };

interface Life {
  readonly passMs: readonly number[];
  readonly largest: number;
  readonly status: TenantStatus | undefined;
}

/** The first passes over a new Tenant. */
async function live(spec: unknown, refuses: boolean): Promise<Life> {
  const line: Line = { largest: 0, refuses };
  const providers = providersOn(line);
  let tenant: Tenant = tenantWith(undefined, {}, spec);
  const write = (more: Partial<Tenant>): Tenant => (tenant = { ...tenant, ...more });
  const deps = {
    specSchema,
    providers,
    writer: {
      addFinalizer: async ({ metadata }: Tenant) =>
        write({ metadata: { ...metadata, finalizers: ['landlord.dev/compute'] } }),
      writeStatus: async (_tenant: Tenant, status: TenantStatus) => write({ status }),
    },
    secrets: { get: async () => secret },
    configMaps: { get: async () => configMap },
    watches: () => true,
    versionOf: () => secret.metadata.resourceVersion,
    ownedOn: async () => [],
    index: createTenantIndex(),
    rollouts: createRollouts({ limits: new Map(), wake: () => undefined, onCounts: () => undefined }),
    tenantOf: () => tenant,
    memories: createTenantMemories(),
    events: { emit: () => undefined },
    lookAgainWithin: () => undefined,
    mayRetain: () => true,
    freeTenantIds: () => true,
    formerIds: createFormerIds(async () => []),
    logger: silentLogger,
    now: () => new Date(),
  } as unknown as ReconcileDeps;
  const passMs: number[] = [];
  for (let pass = 0; pass < 3; pass += 1) {
    const before = process.threadCpuUsage();
    await reconcileTenant(deps, tenant, signal);
    const { user, system } = process.threadCpuUsage(before);
    passMs.push((user + system) / 1000);
    // A pull may come to its end.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([...providers.values()].map(({ provider }) => provider.close()));
  return { passMs, largest: line.largest, status: tenant.status };
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

test(
  `no one of ${count} manifests is too much for a pass, a request or a status`,
  // Only ends a hang.
  { timeout: 600_000 + count * 300 },
  async () => {
    const reasons = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(specs, fc.boolean(), async (spec, refuses) => {
        const lives: Life[] = [];
        const slowest = (): number => Math.min(...lives.map(({ passMs }) => Math.max(...passMs)));
        do lives.push(await live(spec, refuses));
        while (lives.length < tries && slowest() > mostMs);
        const [{ status, largest } = { status: undefined, largest: 0 }] = lives;
        expect(slowest()).toBeLessThanOrEqual(mostMs);
        expect(largest).toBeLessThanOrEqual(mostBytes);
        const told = textsIn({ ...status, placement: undefined });
        expect(told.length).toBeGreaterThan(0);
        expect(Math.max(...told.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(
          statusBounds.message,
        );
        expect(textsIn(status).filter((text) => /\p{Cc}/u.test(text))).toEqual([]);
        const reason = status?.conditions?.find(({ type }) => type === 'Ready')?.reason ?? 'none';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }),
      { numRuns: count, seed: 20_260_101, endOnFailure: true },
    );
    // Not all of them end at the first check.
    expect([...reasons.keys()]).toEqual(expect.arrayContaining(['Running', 'PolicyDenied', 'InvalidSpec']));
  },
);
