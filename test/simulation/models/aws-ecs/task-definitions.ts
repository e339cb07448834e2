import type { Tag, TaskDefinition } from '@aws-sdk/client-ecs';
import type { VirtualClock } from './hands.ts';

/** The revisions of an account and region. A deregistered one stays, INACTIVE: what runs it goes on, nothing new may. */
export interface TaskDefinitions {
  register(input: Partial<TaskDefinition>, tags?: readonly Tag[]): TaskDefinition;
  /** By ARN or `FAMILY:REVISION`; a family alone, or its ARN, stands for its newest ACTIVE revision. */
  find(name: string): Registered | undefined;
  /** ARNs of the ACTIVE ones, newest first. */
  activeOf(family: string): readonly string[];
  deregister(name: string): boolean;
  /** The next `times` registrations meet another one of their family. */
  contend(times: number): void;
  isContended(): boolean;
}

export interface Registered {
  readonly definition: TaskDefinition;
  readonly tags: Map<string, string>;
}

export function createTaskDefinitions(account: string, clock: VirtualClock): TaskDefinitions {
  const byArn = new Map<string, Registered>();
  const latest = new Map<string, number>();
  let contended = 0;
  const prefix = `${account}:task-definition/`;
  const activeOf = (family: string): readonly string[] =>
    [...byArn.values()]
      .filter(({ definition }) => definition.family === family && definition.status === 'ACTIVE')
      .map(({ definition }) => definition.taskDefinitionArn ?? '')
      .toReversed();
  const find = (name: string): Registered | undefined => {
    const key = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const arn = key.includes(':') ? `${prefix}${key}` : activeOf(key)[0];
    return byArn.get(arn ?? '');
  };
  return {
    register(input, tags = []) {
      const { family = 'app' } = input;
      const revision = input.revision ?? (latest.get(family) ?? 0) + 1;
      latest.set(family, revision);
      const definition: TaskDefinition = {
        ...structuredClone(input),
        family,
        revision,
        taskDefinitionArn: `${prefix}${family}:${revision}`,
        status: 'ACTIVE',
        registeredAt: new Date(clock.now()),
        compatibilities: ['EC2', 'FARGATE'],
      };
      const tagged = new Map(tags.map(({ key = '', value = '' }) => [key, value]));
      byArn.set(definition.taskDefinitionArn ?? '', { definition, tags: tagged });
      return definition;
    },
    find,
    activeOf,
    deregister(name) {
      const found = find(name);
      if (found === undefined) return false;
      found.definition.status = 'INACTIVE';
      return true;
    },
    contend: (times) => void (contended += times),
    isContended() {
      contended -= 1;
      if (contended >= 0) return true;
      contended = 0;
      return false;
    },
  };
}
