import type { DeploymentRecord, ServiceRecord, ServiceRevision, TaskRecord } from './records.ts';
import { isAlive, isGood, isWanted } from './records.ts';
import type { Hands } from './hands.ts';
import type { TaskLife } from './task-life.ts';

/**
 * ECS' service scheduler: starts and stops tasks, calls a deployment COMPLETED some time after it came to rest, and
 * takes back the whole service revision of one that fails.
 */
export interface ServiceScheduler {
  /** A new PRIMARY deployment of `revision`. */
  deploy(service: ServiceRecord, revision: ServiceRevision): void;
  /** Does what is to be done now; called whenever anything of the service changes. */
  tend(service: ServiceRecord): void;
  /** A task took a step. */
  taskChanged(task: TaskRecord): void;
  /** The service is on its way out. */
  drain(service: ServiceRecord): void;
}

export interface SchedulerDeps extends Pick<Hands, 'clock' | 'between' | 'id'> {
  readonly life: TaskLife;
  /** Time at rest until a deployment is called COMPLETED. */
  readonly steadyMs: () => number;
  /** Some event of the service is news to those who listen. */
  readonly tell: (service: ServiceRecord) => void;
}

const maxEvents = 100;
const longestPauseMs = 15 * 60_000;
/** A task that ran for so long does not count as one that can't be started. */
const longRunMs = 5 * 60_000;

export function createServiceScheduler(deps: SchedulerDeps): ServiceScheduler {
  const { clock, life, between, tell } = deps;
  const later = (service: ServiceRecord, ms: number): void => clock.after(ms, () => tend(service));
  const say = (service: ServiceRecord, message: string): void => {
    const text = `(service ${service.name}) ${message}`;
    service.events.unshift({ id: deps.id(), createdAt: new Date(clock.now()), message: text });
    service.events.length = Math.min(maxEvents, service.events.length);
    tell(service);
  };
  const stopAll = (service: ServiceRecord, tasks: readonly TaskRecord[], why: string): void => {
    const wanted = tasks.filter(isWanted);
    for (const task of wanted) {
      life.stop(task, { stopCode: 'ServiceSchedulerInitiated', stoppedReason: why });
    }
    if (wanted.length > 0) say(service, `has stopped ${wanted.length} running tasks: ${listed(wanted)}.`);
  };

  function add(service: ServiceRecord, revision: ServiceRevision, rolledBackTo?: string): DeploymentRecord {
    const id = `ecs-svc/${BigInt(`0x${deps.id()}`) % 10n ** 19n}`;
    const deployment: DeploymentRecord = {
      id,
      revision,
      createdAt: clock.now(),
      updatedAt: clock.now(),
      isRollback: rolledBackTo !== undefined,
      rolloutState: 'IN_PROGRESS',
      reason:
        rolledBackTo === undefined
          ? `ECS deployment ${id} in progress.`
          : `ECS deployment circuit breaker: rolling back to deploymentId ${rolledBackTo}.`,
      failedTasks: 0,
      notBefore: 0,
      steadySince: undefined,
      tasks: [],
    };
    service.deployments = [deployment, ...service.deployments];
    return deployment;
  }

  function fail(service: ServiceRecord, deployment: DeploymentRecord): void {
    Object.assign(deployment, {
      rolloutState: 'FAILED',
      reason: 'ECS deployment circuit breaker: tasks failed to start.',
      updatedAt: clock.now(),
    });
    say(service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
    const good = service.lastCompleted;
    const rollsBack = service.configuration.deploymentCircuitBreaker?.rollback === true;
    if (!rollsBack || good === undefined || deployment.isRollback) return;
    const back = add(service, good.revision, good.id);
    // What still runs of it is taken over.
    const before = service.deployments.find((one) => one !== back && one.revision === good.revision);
    if (before !== undefined) {
      back.tasks = before.tasks;
      service.deployments = service.deployments.filter((one) => one !== before);
    }
    say(service, `rolling back to deployment ${back.id}.`);
  }

  function start(service: ServiceRecord, deployment: DeploymentRecord, count: number): void {
    const tasks = Array.from({ length: count }, () => life.begin(service, deployment));
    deployment.tasks.push(...tasks);
    if (count > 0) say(service, `has started ${count} tasks: ${listed(tasks)}.`);
  }

  function startMissing(service: ServiceRecord, primary: DeploymentRecord): void {
    const missing = service.desiredCount + service.extra - primary.tasks.filter(isWanted).length;
    if (primary.rolloutState === 'FAILED' || missing <= 0) return;
    const waitMs = primary.notBefore - clock.now();
    if (waitMs > 0) return;
    const { maximumPercent = 200 } = service.configuration;
    const most = Math.floor((service.desiredCount * maximumPercent) / 100) + service.extra;
    const taken = service.deployments.flatMap(({ tasks }) => tasks.filter(isWanted)).length;
    start(service, primary, Math.max(0, Math.min(missing, most - taken)));
  }

  function stopSurplus(service: ServiceRecord, primary: DeploymentRecord): void {
    const isMoved =
      service.extra > 0 && primary.tasks.filter(isGood).length >= service.desiredCount + service.extra;
    if (isMoved) service.extra = 0;
    const wanted = primary.tasks.filter(isWanted);
    const surplus = wanted.length - service.desiredCount - service.extra;
    if (surplus <= 0) return;
    const by = isMoved ? 'Availability Zone rebalancing' : 'Scaling activity';
    // Those that do not run yet go first, then the oldest.
    const order = wanted.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b)));
    stopAll(service, order.slice(0, surplus), `${by} initiated by (deployment ${primary.id})`);
  }

  /** As many of the old ones stay as keep the least that must be healthy. */
  function stopOld(service: ServiceRecord, [primary, ...old]: DeploymentRecord[]): void {
    const { minimumHealthyPercent = 100 } = service.configuration;
    const least = Math.ceil((service.desiredCount * minimumHealthyPercent) / 100);
    let keep = Math.max(0, least - (primary?.tasks.filter(isGood).length ?? 0));
    for (const deployment of old) {
      const good = deployment.rolloutState === 'FAILED' ? [] : deployment.tasks.filter(isGood);
      const kept = good.slice(0, keep);
      keep -= kept.length;
      const why = `Scaling activity initiated by (deployment ${primary?.id})`;
      stopAll(
        service,
        deployment.tasks.filter((task) => isWanted(task) && !kept.includes(task)),
        why,
      );
    }
  }

  function judge(service: ServiceRecord, primary: DeploymentRecord): void {
    if (primary.rolloutState !== 'IN_PROGRESS') return;
    const breaker = service.configuration.deploymentCircuitBreaker;
    if (breaker?.enable === true && primary.failedTasks >= breakerThreshold(service.desiredCount)) {
      fail(service, primary);
      tend(service);
      return;
    }
    const alive = service.deployments.flatMap(({ tasks }) => tasks.filter(isAlive));
    const isSteady =
      primary.tasks.filter(isGood).length === service.desiredCount && alive.length === service.desiredCount;
    if (!isSteady) {
      primary.steadySince = undefined;
      return;
    }
    if (primary.steadySince !== undefined) return;
    const since = clock.now();
    primary.steadySince = since;
    clock.after(deps.steadyMs(), () => {
      const isStill = primary.steadySince === since && service.deployments[0] === primary;
      const isOpen = service.status === 'ACTIVE' && primary.rolloutState === 'IN_PROGRESS';
      if (isOpen && isStill) complete(service, primary);
    });
  }

  function complete(service: ServiceRecord, primary: DeploymentRecord): void {
    Object.assign(primary, {
      rolloutState: 'COMPLETED',
      reason: `ECS deployment ${primary.id} completed.`,
      failedTasks: 0,
      updatedAt: clock.now(),
    });
    service.lastCompleted = { id: primary.id, revision: primary.revision };
    say(service, `(deployment ${primary.id}) deployment completed.`);
    say(service, 'has reached a steady state.');
  }

  function tend(service: ServiceRecord): void {
    const [primary] = service.deployments;
    if (service.status === 'DRAINING') endDrained(service);
    if (service.status !== 'ACTIVE' || primary === undefined) return;
    startMissing(service, primary);
    stopSurplus(service, primary);
    stopOld(service, service.deployments);
    service.deployments = service.deployments.filter(
      (deployment) => deployment === primary || deployment.tasks.some(isAlive),
    );
    judge(service, primary);
  }

  function endDrained(service: ServiceRecord): void {
    if (service.deployments.some(({ tasks }) => tasks.some(isAlive))) return;
    Object.assign(service, { status: 'INACTIVE', inactiveAt: clock.now(), deployments: [] });
    tell(service);
  }

  function noteFailure(service: ServiceRecord, deployment: DeploymentRecord, ranMs: number): void {
    deployment.failedTasks = ranMs < longRunMs ? deployment.failedTasks + 1 : 1;
    const { failedTasks } = deployment;
    const pauseMs =
      failedTasks <= 3 ? between(500, 3_000) : Math.min(longestPauseMs, 10_000 * 2 ** (failedTasks - 3));
    deployment.notBefore = clock.now() + pauseMs;
    if (failedTasks === 4) {
      say(
        service,
        'is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.',
      );
    }
    later(service, pauseMs);
  }

  return {
    deploy(service, revision) {
      add(service, revision);
      tend(service);
    },
    tend,
    taskChanged(task) {
      const { service } = task;
      const deployment = service.deployments.find(({ tasks }) => tasks.includes(task));
      if (task.lastStatus === 'STOPPED') {
        service.stopped.unshift(task);
        if (deployment !== undefined) {
          deployment.tasks = deployment.tasks.filter((one) => one !== task);
          if (isFailure(task))
            noteFailure(service, deployment, clock.now() - (task.startedAt ?? clock.now()));
        }
      } else if (task.health === 'UNHEALTHY' && isWanted(task)) {
        say(service, `(task ${task.id}) failed container health checks.`);
        life.stop(task, {
          stopCode: 'ServiceSchedulerInitiated',
          stoppedReason: 'Task failed container health checks',
        });
      }
      tell(service);
      tend(service);
    },
    drain(service) {
      service.status = 'DRAINING';
      service.desiredCount = 0;
      for (const { tasks } of service.deployments) stopAll(service, tasks, 'Service is being deleted');
      tend(service);
    },
  };
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html */
function breakerThreshold(desiredCount: number): number {
  return Math.max(3, Math.min(200, Math.ceil(desiredCount / 2)));
}

/** What the scheduler or a person stops on purpose is none, but for what fails its health check. */
function isFailure({ stopCode, stoppedReason = '' }: TaskRecord): boolean {
  return (
    stopCode === 'TaskFailedToStart' ||
    stopCode === 'EssentialContainerExited' ||
    stoppedReason.includes('health checks')
  );
}

function listed(tasks: readonly TaskRecord[]): string {
  return tasks.map(({ id }) => `(task ${id})`).join(' ');
}
