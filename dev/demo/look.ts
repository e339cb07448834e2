import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { Reason } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { taskLabel } from './ecs-account.ts';
import type { EngineContainer } from './engine-api.ts';
import { demoNamespace } from './namespace.ts';
import type { Stage } from './stage.ts';

/** What the steps look at. */

const httpTimeoutMs = 2_000;

/** The tenant once its newest generation has `reason`; Ready where that is Running. */
export function tenantWith(stage: Stage, name: string, reason: Reason): Tenant | undefined {
  const tenant = stage.fleet.get(name);
  const ready = findCondition(tenant?.status?.conditions, 'Ready');
  const isCurrent = tenant?.status?.observedGeneration === tenant?.metadata.generation;
  return isCurrent && ready?.reason === reason ? tenant : undefined;
}

export function messageOf(tenant: Tenant): string {
  return findCondition(tenant.status?.conditions, 'Ready')?.message ?? '';
}

/** Running -> Updating -> Running. */
export function historyOf(stage: Stage, name: string): string {
  return stage.fleet.history(name).join(' -> ');
}

/** The URL in the status. Throws where there is none. */
export function endpointOf({ metadata, status }: Tenant): string {
  const url = status?.compute?.endpoints?.[0]?.url;
  if (url === undefined) throw new Error(`the status of ${metadata.name} names no endpoint`);
  return url;
}

/** What an HTTP server answers, without the line break at its end. */
export async function httpGet(url: string): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(httpTimeoutMs),
    headers: { connection: 'close' },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered with HTTP ${response.status}`);
  return text.trimEnd();
}

/** As the operator names the container of a tenant that has one. */
export function containerName(stage: Stage, tenant: string): string {
  return `${stage.labelPrefix}-tenant-${defaultTenantId(demoNamespace, tenant)}`;
}

export function tenantLabel(stage: Stage, tenant: string): string {
  return `${stage.labelPrefix}.tenant_id=${defaultTenantId(demoNamespace, tenant)}`;
}

export async function containersOf(stage: Stage, tenant: string): Promise<EngineContainer[]> {
  return stage.engine.containers(tenantLabel(stage, tenant));
}

/** What runs the tasks of a tenant's ECS service. */
export async function taskContainersOf(stage: Stage, tenant: string): Promise<EngineContainer[]> {
  const tasks = await stage.ecs.tasksOf(tenant);
  const found = await Promise.all(tasks.map((task) => stage.engine.containers(`${taskLabel}=${task}`)));
  return found.flat();
}

/** `kubectl patch` of the image of a tenant whose docker block names it. */
export function imagePatch(image: string): unknown {
  return { spec: { computeConfig: { docker: { image } } } };
}

export function imageCommand(tenant: string, image: string): string {
  return `kubectl patch tenant ${tenant} --type merge -p '${JSON.stringify(imagePatch(image))}'`;
}
