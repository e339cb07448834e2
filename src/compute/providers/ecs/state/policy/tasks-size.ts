import { memoryBytes, nanoCpus } from '../../../../../api/quantity.ts';
import { checkCommonPolicy, denied } from '../../../../policy.ts';
import type { CommonPolicy, PolicySubject } from '../../../../policy.ts';
import { revisionKey } from '../../address/arns.ts';
import type { ContainerDefinition, TaskDefinition } from '../task-definition/task-definition.ts';

/** What all tasks of a tenant use together: it chooses how many there are. */

/** The most that a tenant may use; an empty text: no bound. */
export type ResourceBounds = CommonPolicy['max_resources'];

/** By what the tenant's containers name. Throws PolicyDenied. */
export function checkSize(policy: CommonPolicy, subjects: readonly PolicySubject[], tasks: number): void {
  const times = Math.max(1, tasks);
  const together = subjects.map(({ resources: { cpu, memory }, ...subject }) => ({
    ...subject,
    resources: {
      ...(cpu === undefined ? {} : { cpu: `${product(nanoCpus(cpu), times)}n` }),
      ...(memory === undefined ? {} : { memory: product(memoryBytes(memory), times) }),
    },
  }));
  checkCommonPolicy(policy, together);
}

/** Beyond this a number would be written with an exponent. */
function product(amount: number, times: number): number {
  return Math.min(amount * times, Number.MAX_SAFE_INTEGER);
}

export function isBounded({ cpu, memory }: ResourceBounds): boolean {
  return cpu !== '' || memory !== '';
}

export interface Tasks {
  /** ARN or `FAMILY:REVISION`, for the message. */
  readonly name: string;
  readonly definition: TaskDefinition;
  readonly tasks: number;
}

/** By what ECS runs in the end: the task's own size, or all of its containers, whoever named them. Throws PolicyDenied. */
export function checkTasks(bounds: ResourceBounds, tasks: Tasks): void {
  const { definition } = tasks;
  checkAmount(bounds, tasks, {
    resource: 'cpu',
    units: nanoCpus,
    // 1024 to a core.
    size: (Number(definition.cpu ?? '') * 1e9) / 1024,
    partOf: ({ cpu = 0 }) => (cpu * 1e9) / 1024,
  });
  checkAmount(bounds, tasks, {
    resource: 'memory',
    units: memoryBytes,
    size: Number(definition.memory ?? '') * 2 ** 20,
    partOf: ({ memory = 0 }) => memory * 2 ** 20,
  });
}

interface Amount {
  readonly resource: keyof ResourceBounds;
  readonly units: (quantity: string | number) => number;
  /** Of the task as a whole; 0 or not a number: none. */
  readonly size: number;
  /** 0: the container names none. */
  readonly partOf: (container: ContainerDefinition) => number;
}

function checkAmount(
  bounds: ResourceBounds,
  { name, definition: { containerDefinitions = [] }, tasks }: Tasks,
  { resource, units, size, partOf }: Amount,
): void {
  const bound = bounds[resource];
  if (bound === '') return;
  const rule = `max_resources.${resource}`;
  const task = revisionKey(name);
  const unnamed = containerDefinitions.find((container) => partOf(container) === 0);
  if (unnamed !== undefined && !(size > 0)) {
    const what = `container ${unnamed.name} of ${task} names no ${resource} limit, and tenants may use at most ${bound}`;
    throw denied(rule, what, 'Name a task definition that has one');
  }
  const parts = containerDefinitions.reduce((sum, container) => sum + partOf(container), 0);
  const each = size > parts ? size : parts;
  if (each * Math.max(1, tasks) <= units(bound)) return;
  const many = tasks > 1 ? `${tasks} tasks of ${task} have` : `a task of ${task} has`;
  const what = `${many} more ${resource}${tasks > 1 ? ' together' : ''} than the ${bound} that a tenant may use`;
  throw denied(rule, what, 'Ask for less');
}
