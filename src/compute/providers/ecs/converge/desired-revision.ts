import { checkDefinitionSize } from '../state/check-ecs-policy.ts';
import { defaultDesiredCount } from '../state/desired.ts';
import type { DesiredService } from '../state/desired.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';
import { ensureRevision, noTaskDefinition } from './task-revisions.ts';

/** ARN of what the service is to run. Rejects with InvalidSpec, PolicyDenied and ProviderConflict. */
export async function desiredRevision(
  { api, ownership, policyOf, noteRevision }: ServiceDeps,
  { desired, permit }: Pick<Attempt, 'desired' | 'permit'>,
  signal: AbortSignal,
): Promise<string> {
  const { overlay, taskDefinition, target, ownerTags } = desired;
  if (overlay === undefined) {
    await checkNamedSize({ api, policyOf }, desired, signal);
    return taskDefinition;
  }
  const wanted = { scope: target.scope, overlay, tenant: desired, ownerTags };
  const arn = await ensureRevision(api, ownership, wanted, signal);
  noteRevision(desired, permit);
  return arn;
}

/** A task definition that runs as it is counts as well, where tenants have a bound: they choose how often. */
async function checkNamedSize(
  { api, policyOf }: Pick<ServiceDeps, 'api' | 'policyOf'>,
  { namespace, taskDefinition: name, target, desiredCount: tasks = defaultDesiredCount }: DesiredService,
  signal: AbortSignal,
): Promise<void> {
  const { commonPolicy } = policyOf(namespace);
  const { cpu, memory } = commonPolicy.max_resources;
  if (cpu === '' && memory === '') return;
  const found = await api.describeTaskDefinition(target.scope, name, signal);
  if (found === undefined) throw noTaskDefinition(name);
  checkDefinitionSize(commonPolicy, { name, definition: found.taskDefinition, tasks });
}
