import type { HealthCheck, TaskDefinition } from '@aws-sdk/client-ecs';
import type { ContainerRecord, Launch, ServiceRecord, TaskFate, TaskRecord } from './records.ts';
import { isAlive } from './records.ts';
import type { Hands } from './hands.ts';

/** A task's way from PROVISIONING to STOPPED. `changed` is called after each step of it. */

export interface TaskLife {
  begin(
    service: ServiceRecord,
    deployment: { readonly id: string } & Pick<TaskRecord, 'revision'>,
  ): TaskRecord;
  /** Asks it to stop: SIGTERM, and the end a while later. */
  stop(task: TaskRecord, because: Pick<TaskRecord, 'stopCode' | 'stoppedReason'>): void;
  /** Its essential container exits. */
  crash(task: TaskRecord, exitCode: number): void;
}

export interface TaskLifeDeps extends Pick<Hands, 'clock' | 'between' | 'id'> {
  readonly account: string;
  readonly fateOf: (launch: Launch) => TaskFate;
  readonly definitionOf: (arn: string) => TaskDefinition | undefined;
  readonly changed: (task: TaskRecord) => void;
}

export function createTaskLife(deps: TaskLifeDeps): TaskLife {
  const { clock, between, changed } = deps;
  const after = (task: TaskRecord, ms: number, step: () => void): void =>
    clock.after(ms, () => {
      if (isAlive(task)) step();
    });
  const end = (task: TaskRecord): void => {
    Object.assign(task, { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stoppedAt: clock.now() });
    // What never ran has no exit code.
    if (task.startedAt !== undefined) for (const container of task.containers) container.exitCode ??= 143;
    changed(task);
  };
  const stop: TaskLife['stop'] = (task, because) => {
    if (task.desiredStatus === 'STOPPED') return;
    Object.assign(task, { desiredStatus: 'STOPPED', stoppingAt: clock.now(), ...because });
    const stopMs = task.fate.stopMs ?? between(1_000, 30_000);
    // It is told as RUNNING until the agent has passed the word on.
    after(task, Math.min(stopMs, 2_000), () => {
      task.lastStatus = 'STOPPING';
      changed(task);
    });
    after(task, stopMs, () => end(task));
  };
  const fail = (task: TaskRecord, because: Pick<TaskRecord, 'stopCode' | 'stoppedReason'>): void => {
    Object.assign(task, { stoppingAt: clock.now(), ...because });
    end(task);
  };
  const crash: TaskLife['crash'] = (task, exitCode) => {
    for (const container of task.containers) container.exitCode = exitCode;
    fail(task, {
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
    });
  };
  const run = (task: TaskRecord, check: HealthCheck | undefined): void => {
    Object.assign(task, { lastStatus: 'RUNNING', startedAt: clock.now() });
    const { crashAfterMs, exitCode = 1, unhealthyAfterMs } = task.fate;
    if (crashAfterMs !== undefined) after(task, crashAfterMs, () => crash(task, exitCode));
    if (check !== undefined) beginChecks(task, check);
    if (check !== undefined && unhealthyAfterMs !== undefined)
      after(task, unhealthyAfterMs, () => setHealth(task, 'UNHEALTHY'));
    changed(task);
  };
  const setHealth = (task: TaskRecord, health: TaskRecord['health']): void => {
    if (task.lastStatus !== 'RUNNING') return;
    task.health = health;
    changed(task);
  };
  const beginChecks = (task: TaskRecord, check: HealthCheck): void => {
    const { interval = 30, timeout = 5, retries = 3, startPeriod = 0 } = check;
    const mostMs = 1_000 * (startPeriod + retries * (interval + timeout));
    const healthyMs = task.fate.healthyAfterMs ?? interval * 1_000;
    const isHealthy = healthyMs < mostMs;
    after(task, isHealthy ? healthyMs : mostMs, () => setHealth(task, isHealthy ? 'HEALTHY' : 'UNHEALTHY'));
  };
  const begin: TaskLife['begin'] = (service, deployment) => {
    const { definition, containers, check } = made(deps, deployment.revision.taskDefinition);
    const images = containers.map(({ image }) => image);
    const fate = deps.fateOf({ service: service.name, images, revision: deployment.revision });
    const id = deps.id();
    const task: TaskRecord = {
      service,
      arn: `${deps.account}:task/${service.cluster.split('/')[1]}/${id}`,
      id,
      deployment: deployment.id,
      revision: deployment.revision,
      createdAt: clock.now(),
      fate,
      address: `10.0.${between(0, 255)}.${between(1, 255)}`,
      containers,
      isChecked: check !== undefined,
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      health: 'UNKNOWN',
    };
    const startMs = fate.startMs ?? between(10_000, 60_000);
    after(task, startMs / 2, () => {
      if (task.lastStatus === 'PROVISIONING') task.lastStatus = 'PENDING';
    });
    after(task, startMs, () => {
      if (task.desiredStatus === 'STOPPED') return;
      if (fate.pullFails !== true && definition !== undefined) run(task, check);
      else fail(task, pullFailure(images[0] ?? ''));
    });
    return task;
  };
  return { begin, stop, crash };
}

function made({ definitionOf }: Pick<TaskLifeDeps, 'definitionOf'>, arn: string) {
  const definition = definitionOf(arn);
  const wanted = definition?.containerDefinitions ?? [];
  const containers: ContainerRecord[] = wanted.map(({ name = '', image = '' }) => ({ name, image }));
  const check = wanted.find(({ healthCheck }) => healthCheck !== undefined)?.healthCheck;
  return { definition, containers, check };
}

function pullFailure(image: string): Pick<TaskRecord, 'stopCode' | 'stoppedReason'> {
  return {
    stopCode: 'TaskFailedToStart',
    stoppedReason:
      'CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref ' +
      `${image}: ${image}: not found`,
  };
}
