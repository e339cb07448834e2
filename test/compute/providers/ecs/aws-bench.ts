import { onTestFinished, vi } from 'vitest';
import type { Observation } from '../../../../src/compute/provider.ts';
import type { EcsConfig } from '../../../../src/compute/providers/ecs/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { awsEcs } from '../../../simulation/models/aws-ecs.ts';
import type { AwsEcs, AwsEcsOptions } from '../../../simulation/models/aws-ecs.ts';
import { seededRandom } from '../../../simulation/models/aws-ecs/hands.ts';
import { containerSpec, context, drivenEcs, settings, tenantSpec } from './ecs-fixture.ts';
import type { ContainerSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { clusterArn } from './memory-ecs.ts';

/** The whole provider over ECS as AWS runs it, on a clock that only the test moves. */

export type EcsSpec = TenantComputeSpec<EcsConfig>;

export const serviceName = 'landlord-tenant-acme';
const { signal } = new AbortController();

export interface AwsBenchOptions extends Partial<AwsEcsOptions> {
  /** The operator's block besides what it needs. */
  readonly block?: Record<string, unknown>;
}

export interface AwsBench {
  readonly aws: AwsEcs;
  readonly provider: ReturnType<typeof drivenEcs>;
  /** The operator's block. */
  readonly block: ReturnType<typeof settings>['block'];
  readonly pass: (seconds: number) => Promise<void>;
  /** What a close look shows. */
  readonly look: (spec: EcsSpec) => Promise<Observation>;
  /** Looks as the controller does: what differs is put right, then it looks once more. */
  readonly converge: (spec: EcsSpec) => Promise<Observation>;
  /** Converges each second for `seconds`. */
  readonly watch: (spec: EcsSpec, seconds: number) => Promise<readonly Seen[]>;
}

export interface Seen {
  readonly second: number;
  readonly observation: Observation;
  /** What ECS itself says meanwhile of the newest deployment. */
  readonly rollout: string | undefined;
}

export function awsBench({ block = {}, ...options }: AwsBenchOptions = {}): AwsBench {
  if (!vi.isFakeTimers()) {
    vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
    onTestFinished(() => void vi.useRealTimers());
  }
  const aws = awsEcs({
    clock: { now: () => Date.now(), after: (ms, act) => void setTimeout(act, ms) },
    random: seededRandom(1),
    clusters: [clusterArn],
    definitions: [
      {
        family: 'tenant-app',
        revision: 12,
        executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
        containerDefinitions: [{ name: 'app', image: 'app:0', essential: true }],
      },
    ],
    steadyMs: () => 30_000,
    ...options,
  });
  const operator = settings(block, {
    allowed_subnets: ['subnet-good', 'subnet-bad'],
    allowed_security_groups: ['sg-1'],
  });
  const { settleMs: _none, ...usual } = context();
  const provider = drivenEcs(aws, operator.block, operator.policy, { ...usual, sweepIntervalMs: 300_000 });
  const pass: AwsBench['pass'] = async (seconds) => {
    await vi.advanceTimersByTimeAsync(seconds * 1_000);
  };
  const look: AwsBench['look'] = (spec) => provider.getStatus(spec, { fresh: true, signal });
  const converge: AwsBench['converge'] = async (spec) => {
    const before = await look(spec);
    if (before.rolledBack !== undefined) return before;
    if (before.exists && before.changes.length === 0) return before;
    await (before.exists ? provider.update(spec, signal) : provider.provision(spec, signal));
    return look(spec);
  };
  return {
    aws,
    provider,
    block: operator.block,
    pass,
    look,
    converge,
    async watch(spec, seconds) {
      const seen: Seen[] = [];
      for (let second = 0; second < seconds; second += 1) {
        const observation = await converge(spec);
        seen.push({ second, observation, rollout: aws.service(serviceName)?.deployments?.[0]?.rolloutState });
        await pass(1);
      }
      return seen;
    },
  };
}

/** A tenant with one container of the image. */
export function imageSpec(
  image: string,
  config: Record<string, unknown> = {},
  container: Partial<ContainerSpec> = {},
): EcsSpec {
  return tenantSpec(config, { containers: [containerSpec('app', { image, ...container })] });
}

export function isWell({ observation: { compute } }: Pick<Seen, 'observation'>): boolean {
  return compute.state === 'running' && compute.health === 'healthy';
}
