import type { Service, Tag, Task, TaskDefinition } from '@aws-sdk/client-ecs';
import type { EcsApi } from '../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { EcsScope, ServiceTarget } from '../../../src/compute/providers/ecs/address/service-target.ts';
import type { OperationFamily } from '../../../src/compute/providers/ecs/engine/limits/rate-limits.ts';
import { memoryBalancing } from '../../compute/providers/ecs/memory-balancing.ts';
import { memoryScaling } from '../../compute/providers/ecs/memory-scaling.ts';
import { serviceAnswer, taskAnswers } from './aws-ecs/answers.ts';
import { createFrontDoor, refusal } from './aws-ecs/front-door.ts';
import type { FrontDoor } from './aws-ecs/front-door.ts';
import { handsOf } from './aws-ecs/hands.ts';
import type { VirtualClock } from './aws-ecs/hands.ts';
import { createHintLine } from './aws-ecs/hint-line.ts';
import type { Launch, ServiceRecord, TaskFate } from './aws-ecs/records.ts';
import { createServiceScheduler } from './aws-ecs/service-scheduler.ts';
import { createServiceWrites, isForgotten, serviceKeyOf } from './aws-ecs/service-writes.ts';
import { createStrangers } from './aws-ecs/strangers.ts';
import type { Strangers } from './aws-ecs/strangers.ts';
import { createTaskDefinitions } from './aws-ecs/task-definitions.ts';
import { createTaskLife } from './aws-ecs/task-life.ts';

/**
 * ECS of one account and region as AWS runs it, on a clock that is handed in: tasks take their time, stopped ones are
 * remembered for an hour, the circuit breaker takes back whole service revisions, names drain, calls are throttled.
 * The same seed makes the same story. What it can't do: load balancers, daemons, task sets, standalone tasks.
 */
export interface AwsEcs extends EcsApi {
  /** Network, rights and limits in front of it. */
  readonly door: FrontDoor;
  /** What other people do to it: their calls cost nothing and always come through. */
  readonly strangers: Strangers;
  /** Its calls so far, and what they were given. */
  readonly calls: { readonly name: string; readonly input: unknown; readonly at: number }[];
  /** ECS' clock, in milliseconds since the epoch. */
  now(): number;
  /** How it is in truth, of the service of that name. Costs nothing. */
  service(name: string): Service | undefined;
  tasks(name: string): readonly Task[];
}

export interface AwsEcsOptions {
  readonly clock: VirtualClock;
  /** From 0 to below 1; seeded. */
  readonly random: () => number;
  /** ARNs of the clusters that there are. */
  readonly clusters: readonly string[];
  /** Task definitions that others have registered. */
  readonly definitions?: readonly Partial<TaskDefinition>[];
  /** What becomes of a task; default: it starts and runs on. */
  readonly fateOf?: (launch: Launch) => TaskFate;
  /** ECS' clock minus ours, in milliseconds. Default: 0. */
  readonly skewMs?: number;
  /** Milliseconds that a call takes. Default: 0. */
  readonly latencyMs?: () => number;
  /** Milliseconds that a new service is MISSING for. Default: 1,000. */
  readonly hiddenMs?: () => number;
  /** Milliseconds at rest until a deployment is COMPLETED. Default: 10 to 60 s. */
  readonly steadyMs?: () => number;
  /** Whether the operator has a queue of ECS' events. Default: no. */
  readonly hasHints?: boolean;
}

export function awsEcs(options: AwsEcsOptions): AwsEcs {
  const { clock, skewMs = 0, fateOf = () => ({}), hiddenMs = () => 1_000 } = options;
  const hands = handsOf(clock, options.random);
  const { steadyMs = () => hands.between(10_000, 60_000) } = options;
  const account = (options.clusters[0] ?? 'arn:aws:ecs:us-west-2:123456789012:').replace(/:cluster\/.*/, '');
  const clusters = new Set(options.clusters);
  const services = new Map<string, ServiceRecord>();
  const definitions = createTaskDefinitions(account, clock);
  for (const definition of options.definitions ?? []) definitions.register(definition);
  const hints = createHintLine();
  const door = createFrontDoor({ clock, latencyMs: options.latencyMs ?? (() => 0) });
  const life = createTaskLife({
    ...hands,
    account,
    fateOf,
    definitionOf: (arn) => definitions.find(arn)?.definition,
    changed: (task) => scheduler.taskChanged(task),
  });
  const scheduler = createServiceScheduler({
    ...hands,
    life,
    steadyMs,
    tell: ({ cluster, name }) => hints.tell({ cluster, service: name }),
  });
  const writes = createServiceWrites({ clock, services, account, definitions, scheduler, hiddenMs });
  const calls: AwsEcs['calls'] = [];
  const world: World = { clock, clusters, services, definitions, door, calls, skewMs };
  const named = (name: string): ServiceRecord | undefined =>
    [...services.values()].findLast((service) => service.name === name);
  const answer = (service: ServiceRecord): Service => serviceAnswer(service, skewMs);
  return {
    ...reads(world, answer),
    ...serviceWrites(world, { writes, scheduler, answer }),
    ...definitionCalls(world),
    runTask: noTasks,
    stopTask: noTasks,
    ...memoryScaling((name) => named(name)?.status === 'ACTIVE').api,
    secretVersions: async () => new Map(),
    ...memoryBalancing(() => false).api,
    serviceHints: (signal) => (options.hasHints === true ? hints.listen(signal) : none()),
    close: () => undefined,
    door,
    strangers: createStrangers({ named, writes, scheduler, life, definitions, clusters }),
    calls,
    now: () => clock.now() + skewMs,
    service: (name) => {
      const found = named(name);
      return found && answer(found);
    },
    tasks: (name) => {
      const found = named(name);
      return found === undefined ? [] : taskAnswers(found, clock.now(), skewMs);
    },
  };
}

interface World {
  readonly clock: VirtualClock;
  readonly clusters: Set<string>;
  readonly services: Map<string, ServiceRecord>;
  readonly definitions: ReturnType<typeof createTaskDefinitions>;
  readonly door: FrontDoor;
  readonly calls: AwsEcs['calls'];
  readonly skewMs: number;
}

function noTasks(): never {
  throw new Error('it runs no task that is not of a service');
}

async function* none(): AsyncIterable<never> {}

interface Asking {
  readonly name: string;
  readonly family: OperationFamily;
  readonly scope: EcsScope;
  readonly input: unknown;
  readonly signal: AbortSignal;
  readonly cost?: number;
}

function ask<T>({ door, calls, clock }: World, asking: Asking, act: () => T): Promise<T> {
  const { name, input, ...rest } = asking;
  calls.push({ name, input, at: clock.now() });
  return door.pass({ ...rest, action: `ecs:${name[0]?.toUpperCase()}${name.slice(1)}` }, act);
}

/** As DescribeServices has it: undefined is MISSING. */
function shown(
  { services, clock }: World,
  { cluster, service: name }: ServiceTarget,
): ServiceRecord | undefined {
  const service = services.get(serviceKeyOf(cluster, name));
  if (service === undefined || isForgotten(service, clock.now())) return undefined;
  return clock.now() < service.visibleAt ? undefined : service;
}

function reads(
  world: World,
  answer: (service: ServiceRecord) => Service,
): Pick<EcsApi, 'describeService' | 'listServices' | 'describeTasks' | 'describeStartedTasks'> {
  const { clusters, services, clock, skewMs } = world;
  return {
    describeService: (target, priority, signal) => {
      const call = { name: 'describeService', family: 'serviceReads', input: priority } as const;
      return ask(world, { ...call, scope: target.scope, signal }, () => {
        if (!clusters.has(target.cluster)) return 'cluster-gone';
        const service = shown(world, target);
        return service && answer(service);
      });
    },
    async *listServices({ scope, cluster }, signal) {
      const call = { name: 'listServices', family: 'serviceReads', input: cluster } as const;
      const names = await ask(world, { ...call, scope, signal }, () =>
        [...services.values()]
          .filter((service) => service.cluster === cluster && service.status === 'ACTIVE')
          .filter(({ visibleAt }) => visibleAt <= clock.now())
          .map(({ name }) => name),
      );
      for (let from = 0; clusters.has(cluster) && from < names.length; from += 100) {
        yield names.slice(from, from + 100);
      }
    },
    describeStartedTasks: ({ scope }, startedBy, signal) =>
      ask(
        world,
        { name: 'describeStartedTasks', family: 'taskReads', input: startedBy, cost: 2, scope, signal },
        () => [],
      ),
    describeTasks: (target, { limit }, signal) => {
      const call = { name: 'describeTasks', family: 'taskReads', input: limit, cost: 3 } as const;
      return ask(world, { ...call, scope: target.scope, signal }, () => {
        const service = clusters.has(target.cluster) ? shown(world, target) : undefined;
        return service === undefined ? [] : taskAnswers(service, clock.now(), skewMs).slice(0, limit);
      });
    },
  };
}

interface Writing {
  readonly writes: ReturnType<typeof createServiceWrites>;
  readonly scheduler: ReturnType<typeof createServiceScheduler>;
  readonly answer: (service: ServiceRecord) => Service;
}

function serviceWrites(
  world: World,
  { writes, scheduler, answer }: Writing,
): Pick<EcsApi, 'createService' | 'updateService' | 'deleteService' | 'tagResource' | 'untagResource'> {
  const { clusters, services, definitions, clock } = world;
  const family = 'serviceWrites' as const;
  const tagsOf = (scope: EcsScope, action: string, arn: string): Map<string, string> => {
    const service = [...services.values()].findLast((one) => one.arn === arn);
    const isThere = service !== undefined && service.status !== 'INACTIVE';
    const tags = isThere ? service.tags : definitions.find(arn)?.tags;
    if (tags !== undefined) return tags;
    const message = `The specified resource ${arn} could not be found.`;
    throw refusal({ scope, action }, 'UpdateFailed', 'ResourceNotFoundException', message);
  };
  return {
    createService: (scope, input, signal) =>
      ask(world, { name: 'createService', family, scope, input, signal }, () => {
        if (!clusters.has(input.cluster ?? '')) return 'cluster-gone';
        const made = writes.create(scope, input);
        return typeof made === 'string' ? made : answer(made);
      }),
    updateService: (scope, input, _consent, signal) =>
      ask(world, { name: 'updateService', family, scope, input, signal }, () => {
        if (!clusters.has(input.cluster ?? '')) return 'cluster-gone';
        const made = writes.update(scope, input);
        return typeof made === 'string' ? made : answer(made);
      }),
    deleteService: (target, _consent, signal) => {
      const call = { name: 'deleteService', family, input: target } as const;
      return ask(world, { ...call, scope: target.scope, signal }, () => {
        if (!clusters.has(target.cluster)) return 'cluster-gone';
        const service = services.get(serviceKeyOf(target.cluster, target.service));
        if (service === undefined || isForgotten(service, clock.now())) return 'missing';
        if (service.status === 'INACTIVE') return 'missing';
        if (service.status === 'ACTIVE') scheduler.drain(service);
        return answer(service);
      });
    },
    tagResource: (scope, arn, tags, signal) =>
      ask(world, { name: 'tagResource', family: 'tagging', scope, input: tags, signal }, () => {
        const known = tagsOf(scope, 'ecs:TagResource', arn);
        for (const { key = '', value = '' } of tags) known.set(key, value);
      }),
    untagResource: (scope, arn, keys, signal) =>
      ask(world, { name: 'untagResource', family: 'tagging', scope, input: keys, signal }, () => {
        const known = tagsOf(scope, 'ecs:UntagResource', arn);
        for (const key of keys) known.delete(key);
      }),
  };
}

function definitionCalls(
  world: World,
): Pick<
  EcsApi,
  'describeTaskDefinition' | 'listTaskDefinitions' | 'registerTaskDefinition' | 'deregisterTaskDefinition'
> {
  const { definitions } = world;
  const reading = 'taskDefinitionReads' as const;
  const writing = 'taskDefinitionWrites' as const;
  return {
    describeTaskDefinition: (scope, name, signal) => {
      const call = { name: 'describeTaskDefinition', family: reading, scope, input: name, signal };
      return ask(world, call, () => {
        const found = definitions.find(name);
        if (found === undefined) return undefined;
        const tags = Array.from(found.tags, ([key, value]): Tag => ({ key, value }));
        return { taskDefinition: structuredClone(found.definition), tags };
      });
    },
    listTaskDefinitions: (scope, family, signal) => {
      const call = { name: 'listTaskDefinitions', family: reading, scope, input: family, signal };
      return ask(world, call, () => definitions.activeOf(family));
    },
    registerTaskDefinition: (scope, input, signal) =>
      ask(world, { name: 'registerTaskDefinition', family: writing, scope, input, signal }, () => {
        const { tags = [], ...wanted } = input;
        if (!definitions.isContended()) return definitions.register(wanted, tags);
        const message = 'Too many concurrent attempts to create a new revision of the specified family.';
        const site = { scope, action: 'ecs:RegisterTaskDefinition' };
        throw refusal(site, 'ProvisionFailed', 'ClientException', message);
      }),
    deregisterTaskDefinition: (scope, name, _consent, signal) => {
      const call = { name: 'deregisterTaskDefinition', family: writing, scope, input: name, signal };
      return ask(world, call, () => void definitions.deregister(name));
    },
  };
}
