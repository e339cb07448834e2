import { z } from 'zod';
import { maxContainers } from '../bounded.ts';
import { listMap } from '../rules.ts';
import type { Rule } from '../rules.ts';

/** How containers begin and end, each by itself and one after the other. No transforms: see compute-fields.ts. */

const dependency = z.strictObject({
  container: z.string().min(1).max(63).describe('Name of the container that comes first.'),
  condition: z
    .enum(['Started', 'Healthy', 'Completed'])
    .optional()
    .describe(
      'What must be so before this one is started. Default: Started. Healthy: by its health check, on Docker without one once it has run for ' +
        'the settling time. Completed: it has exited with code 0.',
    ),
});

export const lifecycleFields = {
  dependsOn: listMap(z.array(dependency).max(maxContainers), ['container'])
    .optional()
    .describe('Containers of this tenant that it is started after.'),
  restartPolicy: z
    .enum(['Always', 'OnFailure', 'Never'])
    .optional()
    .describe(
      'What follows once it ends. Always: it is started again. OnFailure: it is a job, which is started again until it exits ' +
        "with code 0. Never: it is a job, which is run once. Default: the docker block's restart_policy; on ECS another task.",
    ),
  essential: z
    .boolean()
    .optional()
    .describe(
      'false: how it does is shown, and neither Ready nor a rollout depends on it. Default: true; on ECS jobs never are.',
    ),
} as const;

export type Dependency = z.output<typeof dependency>;
export type LifecyclePolicy = z.output<(typeof lifecycleFields)['restartPolicy']>;

/** What the rules ask of a container. */
export interface Lifecycle {
  readonly name: string;
  readonly dependsOn?: readonly Dependency[] | undefined;
  readonly restartPolicy?: LifecyclePolicy;
  readonly essential?: boolean | undefined;
}

interface Together {
  readonly containers?: readonly Lifecycle[] | undefined;
}

/** A container that is run to its end, and is done once that is a good one. */
export function isJob({ restartPolicy }: Pick<Lifecycle, 'restartPolicy'>): boolean {
  return restartPolicy === 'OnFailure' || restartPolicy === 'Never';
}

/** Of a tenant's containers together. */
export const lifecycleRules: readonly Rule<Together>[] = [
  {
    rule:
      '!has(self.containers) || self.containers.all(c, !has(c.dependsOn) || c.dependsOn.all(d, ' +
      'd.container != c.name && self.containers.exists(other, other.name == d.container)))',
    message: 'dependsOn must name other containers of the tenant',
    fieldPath: '.containers',
    holds: ({ containers = [] }) =>
      containers.every(({ name, dependsOn = [] }) =>
        dependsOn.every(
          (one) => one.container !== name && containers.some((other) => other.name === one.container),
        ),
      ),
  },
  {
    rule:
      '!has(self.containers) || self.containers.all(c, !has(c.dependsOn) || c.dependsOn.all(d, ' +
      "!has(d.condition) || d.condition != 'Completed' || self.containers.exists(other, other.name == d.container && " +
      "has(other.restartPolicy) && other.restartPolicy != 'Always')))",
    message: 'dependsOn with condition Completed must name a container with restartPolicy OnFailure or Never',
    fieldPath: '.containers',
    holds: ({ containers = [] }) =>
      containers.every(({ dependsOn = [] }) =>
        dependsOn.every(
          ({ container, condition }) =>
            condition !== 'Completed' || containers.some((other) => other.name === container && isJob(other)),
        ),
      ),
  },
  {
    rule: '!has(self.containers) || self.containers.exists(c, !has(c.essential) || c.essential)',
    message: 'must have a container that is essential',
    fieldPath: '.containers',
    holds: ({ containers }) =>
      containers === undefined || containers.some(({ essential = true }) => essential),
  },
  {
    message: 'dependsOn must not go round in a circle',
    fieldPath: '.containers',
    holds: ({ containers = [] }) => isOrdered(containers),
  },
];

/** Whether all can be started one after the other: those that wait for nothing that is left, over and over. */
function isOrdered(containers: readonly Lifecycle[]): boolean {
  const names = new Set(containers.map(({ name }) => name));
  const waiting = containers.filter(({ dependsOn = [] }) =>
    dependsOn.some(({ container }) => names.has(container)),
  );
  if (waiting.length === 0) return true;
  return waiting.length < containers.length && isOrdered(waiting);
}
