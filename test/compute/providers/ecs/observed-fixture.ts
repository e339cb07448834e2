import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import { desireService } from '../../../../src/compute/providers/ecs/state/desired.ts';
import { serviceTags } from '../../../../src/compute/providers/ecs/state/marks/service-tags.ts';
import { tagList } from '../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { settings, tenantSpec } from './ecs-fixture.ts';
import { baseArn, clusterArn } from './memory-ecs.ts';

/** What ECS answers about one service at rest, and what differs from that. */

export const nowMs = Date.parse('2026-01-01T12:00:00Z');
export const clock = { nowMs, settleMs: 15_000 };
export const ago = (seconds: number): Date => new Date(nowMs - 1000 * seconds);
export const oldArn = baseArn.replace(/:12$/, ':11');
export const desired = desireService(tenantSpec({ desired_count: 2 }), settings());

export function deployment(over: Partial<Deployment> = {}): Deployment {
  return {
    id: 'ecs-svc/2',
    status: 'PRIMARY',
    taskDefinition: baseArn,
    desiredCount: 2,
    runningCount: 2,
    failedTasks: 0,
    rolloutState: 'COMPLETED',
    createdAt: ago(3600),
    ...over,
  };
}

export function service(over: Partial<Service> = {}): Service {
  return {
    serviceArn: 'arn:aws:ecs:us-west-2:123456789012:service/landlord/landlord-tenant-acme',
    serviceName: 'landlord-tenant-acme',
    clusterArn,
    status: 'ACTIVE',
    taskDefinition: baseArn,
    desiredCount: 2,
    runningCount: 2,
    deployments: [deployment()],
    tags: tagList(serviceTags(desired, 'tenant-app:12')),
    ...over,
  };
}

export function stopped(over: Partial<Task>): Task {
  return {
    taskDefinitionArn: baseArn,
    lastStatus: 'STOPPED',
    desiredStatus: 'STOPPED',
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    stoppedAt: ago(5),
    ...over,
  };
}
