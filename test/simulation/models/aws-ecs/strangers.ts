import type { UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { ServiceRecord } from './records.ts';
import { isGood } from './records.ts';
import type { ServiceScheduler } from './service-scheduler.ts';
import type { ServiceWrites } from './service-writes.ts';
import type { TaskDefinitions } from './task-definitions.ts';
import type { TaskLife } from './task-life.ts';

/** What people, pipelines and AWS itself do to a service behind the operator's back. Of a service by its name. */
export interface Strangers {
  /** UpdateService: a count, as autoscaling does it; a task definition; a capacity provider strategy. */
  update(name: string, input: Omit<UpdateServiceCommandInput, 'service' | 'cluster'>): void;
  tag(name: string, key: string, value: string): void;
  untag(name: string, keys: readonly string[]): void;
  delete(name: string): void;
  /** AZ rebalancing: one task more until it runs, then one less. */
  rebalance(name: string): void;
  /** StopTask of one that runs. */
  stopTask(name: string): void;
  /** The essential container of one that runs exits. */
  crashTask(name: string, exitCode?: number): void;
  deregister(taskDefinition: string): void;
  /** The next `times` registrations of any family meet another one. */
  contend(times: number): void;
  deleteCluster(cluster: string): void;
}

export interface StrangersDeps {
  readonly named: (name: string) => ServiceRecord | undefined;
  readonly writes: ServiceWrites;
  readonly scheduler: ServiceScheduler;
  readonly life: TaskLife;
  readonly definitions: TaskDefinitions;
  readonly clusters: Set<string>;
}

export function createStrangers(deps: StrangersDeps): Strangers {
  const { named, writes, scheduler, life, definitions, clusters } = deps;
  const active = (name: string): ServiceRecord => {
    const service = named(name);
    if (service?.status === 'ACTIVE') return service;
    throw new Error(`there is no service ${name} to change`);
  };
  const running = (name: string) =>
    active(name)
      .deployments.flatMap(({ tasks }) => tasks)
      .find(isGood);
  return {
    update(name, input) {
      const { cluster } = active(name);
      const region = cluster.split(':')[3] ?? '';
      writes.update({ region }, { ...input, service: name, cluster });
    },
    tag: (name, key, value) => void active(name).tags.set(key, value),
    untag(name, keys) {
      for (const key of keys) active(name).tags.delete(key);
    },
    delete: (name) => scheduler.drain(active(name)),
    rebalance(name) {
      const service = active(name);
      service.extra = 1;
      scheduler.tend(service);
    },
    stopTask(name) {
      const task = running(name);
      if (task === undefined) return;
      life.stop(task, { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' });
      scheduler.tend(active(name));
    },
    crashTask(name, exitCode = 1) {
      const task = running(name);
      if (task !== undefined) life.crash(task, exitCode);
    },
    deregister: (taskDefinition) => void definitions.deregister(taskDefinition),
    contend: (times) => definitions.contend(times),
    deleteCluster: (cluster) => void clusters.delete(cluster),
  };
}
