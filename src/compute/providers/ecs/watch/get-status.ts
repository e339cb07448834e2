import { isIP } from 'node:net';
import type { Endpoint } from '../../../../api/status.ts';
import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { Looking, Observation, TenantPlace } from '../../../provider.ts';
import { assertOwn } from '../state/assert-own.ts';
import type { Holder } from '../state/assert-own.ts';
import { targetOf } from '../state/desired.ts';
import type { DesiredService } from '../state/desired.ts';
import { diffService } from '../state/diff.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import type { EcsTask } from '../state/ecs-task.ts';
import { endpointsStillShown, portsOf, portsOfDefinition } from '../state/endpoints.ts';
import type { PortNames } from '../state/endpoints.ts';
import type { Clock } from '../state/evidence.ts';
import { isReached } from '../state/balancing/compare-rules.ts';
import type { ReachedService } from '../state/balancing/compare-rules.ts';
import { withShownGroups } from '../state/balancing/known-groups.ts';
import { shownAsForeign, withoutMarks } from '../state/marks/foreign-service.ts';
import { needsTasks, newsMs } from '../state/health.ts';
import { isScaled } from '../state/scaling/compare-scaling.ts';
import type { ScaledService } from '../state/scaling/compare-scaling.ts';
import { returnNotes } from '../state/rollout.ts';
import { seenScaling } from '../state/scaling/seen-scaling.ts';
import { observe } from '../state/observed.ts';
import type { EcsObservation } from '../state/observed.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import { serviceKey } from '../address/service-target.ts';
import type { EcsScope, ServiceTarget } from '../address/service-target.ts';
import type { ListenerRoutes } from './listener-routes.ts';
import type { SecretVersions } from './secret-versions.ts';
import type { ServiceView } from './service-view.ts';

/** As many stopped tasks as one DescribeTasks takes: some endpoints name the oldest first. */
const maxTasks = 100;

export interface StatusDeps {
  readonly api: EcsReads;
  readonly ownership: Ownership;
  readonly view: ServiceView;
  readonly clock: (scope: EcsScope) => Clock;
  readonly secrets: Pick<SecretVersions, 'looked' | 'notes'>;
  readonly routes: Pick<ListenerRoutes, 'endpoints' | 'seen'>;
}

interface Asked {
  readonly at: TenantPlace;
  readonly against: DesiredService | undefined;
}

/** What runs at the place, and how it differs from `against`, by as few calls as will do. */
export async function getStatus(
  deps: StatusDeps,
  { at, against }: Asked,
  { fresh, signal }: Looking,
): Promise<Observation> {
  const { view, ownership, secrets } = deps;
  const target = targetOf(at.placement, 'ProviderUnavailable');
  const wanted = desiredAt(against, target);
  const moment = view.moment();
  signal.throwIfAborted();
  const asked = wanted && (await secrets.looked(wanted, { fresh, signal }));
  const known = fresh ? undefined : view.settled(target);
  const service = known === undefined ? await look(deps, { target, fresh }, signal) : known.service;
  const desired = asked && (isThere(service) ? withShownGroups(asked, service) : asked);
  const holder = assertOwn(ownership, at, { service, stance: desired?.foreign });
  const scaled = desired && (await lookBeside(deps, { target, desired, service, fresh }, signal));
  const observation = await observeService(
    deps,
    { fresh, target, desired, service: scaled ?? service, shown: at.shown },
    signal,
  );
  const { imageUnavailable, ...rest } = told(observation, { desired, holder });
  const settled = rest.lookAgainAfterMs === undefined && rest.changes.length === 0 && rest.exists;
  if (known === undefined) view.store({ target, tenantId: at.tenantId, service, settled }, moment);
  else view.settle(target, { service, settled });
  // Once nothing of it is there and nobody wants it, it is no place to look at.
  if (desired === undefined && !rest.exists) view.forget(target);
  // ECS tries on by itself, and so does the controller: nothing is rejected, for the registry may mend.
  if (imageUnavailable !== undefined && desired !== undefined) {
    throw new ComputeError('ImageUnavailable', sentence(imageUnavailable));
  }
  return desired === undefined
    ? rest
    : withNotes(rest, [...secrets.notes(desired), ...returnNotes(desired, service)]);
}

function withNotes(observation: Observation, notes: readonly string[]): Observation {
  return notes.length === 0
    ? observation
    : { ...observation, notes: [...(observation.notes ?? []), ...notes] };
}

/** What is only observed has no marks to be put right. */
function told(
  observation: EcsObservation,
  { desired, holder }: { readonly desired: DesiredService | undefined; readonly holder: Holder },
): EcsObservation {
  if (desired === undefined) return observation;
  if (holder === 'nobody') return shownAsForeign(observation, desired);
  return desired.isOnlyObserved
    ? { ...observation, changes: withoutMarks(observation.changes) }
    : observation;
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

/** The desired state, where the place is the one that it goes to. */
function desiredAt(against: DesiredService | undefined, target: ServiceTarget): DesiredService | undefined {
  return against !== undefined && serviceKey(against.target) === serviceKey(target) ? against : undefined;
}

async function look(
  { api }: StatusDeps,
  { target, fresh }: { readonly target: ServiceTarget; readonly fresh: boolean },
  signal: AbortSignal,
): Promise<EcsService | undefined> {
  const answer = await api.describeService(target, fresh ? 'user' : 'sweep', signal);
  return answer === 'cluster-gone' ? undefined : answer;
}

/** With what else than ECS knows of it. */
async function lookBeside(
  deps: StatusDeps,
  subject: Pick<Observing, 'target' | 'service' | 'fresh'> & { readonly desired: DesiredService },
  signal: AbortSignal,
): Promise<ReachedService | undefined> {
  const service = await lookAtScaling(deps, subject, signal);
  const { desired, fresh } = subject;
  if (!isThere(service) || service.status === 'DRAINING' || !isReached(service)) return service;
  return { ...service, routes: await deps.routes.seen(desired, { fresh, signal }) };
}

/** Asked afresh by those who change something alone; else what the watch has found stands for it. */
async function lookAtScaling(
  { api, view }: StatusDeps,
  { target, service, fresh }: Pick<Observing, 'target' | 'service' | 'fresh'>,
  signal: AbortSignal,
): Promise<ScaledService | undefined> {
  if (!isThere(service) || service.status === 'DRAINING' || !isScaled(service)) return service;
  if (fresh) view.storeScaling(target, seenScaling(await api.describeScaling(target, 'user', signal)));
  return { ...service, scaling: view.scaling(target) };
}

interface Observing {
  readonly fresh: boolean;
  readonly target: ServiceTarget;
  readonly desired: DesiredService | undefined;
  readonly service: ReachedService | undefined;
  readonly shown: TenantPlace['shown'];
}

async function observeService(
  deps: StatusDeps,
  subject: Observing,
  signal: AbortSignal,
): Promise<EcsObservation> {
  const { view } = deps;
  const { target, desired, service } = subject;
  const clock = deps.clock(target.scope);
  const past = view.past(target, isShort(service));
  const wrong = needsTasks(desired, { service }, clock, past) || view.failedWithin(target, newsMs);
  // What is about to be changed has other tasks soon: until then, their addresses are no news.
  const afresh = subject.fresh && !differs(desired, service);
  // After a start, nobody knows the tasks of thousands: what the service itself vouches for costs no call.
  const isKnown = wrong || afresh || view.tasks(target) !== undefined;
  const aheadMs = clock.nowMs - Date.now();
  const balanced = await balancedEndpoints(deps, subject, signal);
  // A URL to which no listener leads any more is none.
  const isWithout = balanced?.length === 0 && subject.shown?.endpoints?.some(isNamedByHost) === true;
  const still = isKnown || isWithout ? undefined : endpointsStillShown(subject.shown, service, aheadMs);
  const endpoints = balanced === undefined || balanced.length === 0 ? still : balanced;
  const ports = endpoints === undefined ? await portsAt(deps, subject, signal) : [];
  const tasks = await tasksOf(deps, { ...subject, wrong, afresh, ports }, signal);
  const observation = observe(desired, { service, tasks, ports, endpoints }, clock, past);
  if (observation.compute.health === 'unhealthy') view.noteFailure(target);
  noteProof(view, { target, desired }, observation);
  return observation;
}

/**
 * A URL that stays; empty: no listener leads there. Until that is known again, by a sweep, what was shown of the same service
 * stands.
 */
async function balancedEndpoints(
  { routes }: StatusDeps,
  { desired, service, shown, fresh }: Observing,
  signal: AbortSignal,
): Promise<readonly Endpoint[] | undefined> {
  if (desired?.settings.loadBalancers === undefined || !isThere(service)) return undefined;
  const found = await routes.endpoints(desired, { fresh, signal });
  if (found !== undefined) return found;
  const isSame = shown?.resourceIds?.['service'] === service.serviceArn;
  return isSame && shown?.endpoints?.some(isNamedByHost) === true ? shown.endpoints : undefined;
}

/** Those of tasks are IP addresses. */
function isNamedByHost({ address }: Endpoint): boolean {
  return isIP(address) === 0;
}

function differs(desired: DesiredService | undefined, service: ReachedService | undefined): boolean {
  return desired !== undefined && isThere(service) && diffService(desired, service).changes.length > 0;
}

function isShort(service: EcsService | undefined): boolean {
  return isThere(service) && (service.runningCount ?? 0) < (service.desiredCount ?? 0);
}

/** What differs from what is desired proves nothing of it, nor does what was taken back. */
function noteProof(
  view: ServiceView,
  { target, desired }: Pick<Observing, 'target' | 'desired'>,
  { changes, rolledBack, compute }: EcsObservation,
): void {
  if (desired === undefined) return;
  if (changes.length > 0 || rolledBack !== undefined) view.noteProven(target, undefined);
  else if (compute.health === 'healthy') view.noteProven(target, desired.specHash);
}

/** Ports that are endpoints: those that the spec names; without a spec, those of the task definition that runs. */
async function portsAt(
  { api, view }: StatusDeps,
  { target, desired, service }: Observing,
  signal: AbortSignal,
): Promise<readonly PortNames[]> {
  // Only a task with a network interface of its own has an address that ECS tells.
  if (!isThere(service) || service.networkConfiguration?.awsvpcConfiguration === undefined) return [];
  if (desired !== undefined) return portsOf(desired.containers);
  // The spec gave them better names than the task definition has.
  const known = view.tasks(target)?.ports;
  if (known !== undefined) return known;
  const found = await api.describeTaskDefinition(target.scope, service.taskDefinition ?? '', signal);
  return found === undefined ? [] : portsOfDefinition(found.taskDefinition);
}

interface TaskSearch extends Observing {
  /** Whether the tasks can tell more than the service. */
  readonly wrong: boolean;
  /** Whether addresses are to be asked for even where they are known. */
  readonly afresh: boolean;
  readonly ports: readonly PortNames[];
}

async function tasksOf(
  { api, view }: StatusDeps,
  { fresh, target, service, wrong, afresh, ports }: TaskSearch,
  signal: AbortSignal,
): Promise<readonly EcsTask[] | undefined> {
  if (!isThere(service) || service.status === 'DRAINING') {
    view.storeTasks(target, undefined);
    return undefined;
  }
  if (!wrong && ports.length === 0) return undefined;
  const of = JSON.stringify([
    service.runningCount,
    (service.deployments ?? []).map(({ id, runningCount }) => [id, runningCount]),
  ]);
  const before = view.tasks(target);
  // The addresses of tasks that stay the same do so, too.
  if (!wrong && !afresh && before?.of === of) return before.tasks;
  // Whoever changes something looks afresh, and waits for none of those who only want to know.
  const priority = fresh ? 'user' : 'sweep';
  const tasks = await api.describeTasks(target, { limit: maxTasks, priority }, signal);
  if (ports.length > 0) view.storeTasks(target, { of, tasks, ports });
  return tasks;
}
