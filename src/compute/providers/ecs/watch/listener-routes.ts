import type { Logger } from 'pino';
import type { Endpoint } from '../../../../api/status.ts';
import { withDeadline } from '../../../../async/deadline.ts';
import { ComputeError } from '../../../errors.ts';
import type { OnChange } from '../../../provider.ts';
import { scopeKey, serviceKey } from '../address/service-target.ts';
import type { Route } from '../address/route.ts';
import { groupNameIn } from '../address/target-groups.ts';
import type { EcsScope, ServiceTarget } from '../address/service-target.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import type { DesiredService } from '../state/desired.ts';
import { portsOf } from '../state/endpoints.ts';
import type { PortNames } from '../state/endpoints.ts';
import { listenerEndpoints, targetGroupsOf } from '../state/service/listener-endpoints.ts';
import { createAnswersByRole } from './answers-by-role.ts';
import type { AnswersByRole } from './answers-by-role.ts';
import { serviceGroups } from './service-groups.ts';
import type { ServiceView } from './service-view.ts';

/** By which listeners services are reached. It is nice to know, and holds nothing up: nobody is asked where that is denied. */
export interface ListenerRoutes {
  /**
   * Where the service is reached by its load balancers, empty: nowhere; undefined: it has none, or that is not known. Asks only
   * for a fresh look, and not where that was done a moment ago. Never rejects, but where `signal` aborts.
   */
  endpoints(
    desired: DesiredService,
    how: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<readonly Endpoint[] | undefined>;
  /**
   * The ways to the target groups that are made for the service, by their ARNs; undefined: it has none, or not all are known. Asks, and
   * rejects, as `endpoints` does.
   */
  seen(
    desired: DesiredService,
    how: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, readonly Route[]> | undefined>;
  /** Its rules were changed: what is known of them is stale. */
  changed(target: ServiceTarget): void;
  /** Asks about all services that were looked at. Never rejects. */
  sweep(onChange: OnChange, signal: AbortSignal): Promise<void>;
}

export interface ListenerRoutesDeps {
  readonly api: Pick<EcsReads, 'routesTo'>;
  readonly view: Pick<ServiceView, 'watched'>;
  readonly logger: Logger;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** The steps of one rollout ask once, in milliseconds. */
const freshMs = 60_000;
/** As long a look waits for the answer, in milliseconds: a network without a way to it answers nothing at all. */
const patienceMs = 3_000;
/** After a failure looks do without the answer, in milliseconds; sweeps ask meanwhile. */
const quietMs = 300_000;
/** Target groups of one question of a sweep: as many as one call describes. */
const groupsAtOnce = 20;

/** What is remembered of a service. */
type Balanced = Pick<DesiredService, 'target' | 'tenantId' | 'rules'> & {
  readonly settings: Pick<DesiredService['settings'], 'loadBalancers'>;
  readonly ports: readonly PortNames[];
};

type Looking = Parameters<ListenerRoutes['endpoints']>[1];

interface Known {
  readonly routes: AnswersByRole<readonly Route[]>;
  readonly services: Map<string, Balanced>;
  /** When it failed last, by role and region, until it does no more. */
  readonly failures: Map<string, number>;
  /** What was said of what could not be asked for. */
  readonly said: Set<string>;
}

type Ask = (
  scope: EcsScope,
  targetGroups: readonly string[],
  asking: { readonly priority: 'user' | 'sweep'; readonly signal: AbortSignal },
) => Promise<void>;

export function createListenerRoutes(deps: ListenerRoutesDeps): ListenerRoutes {
  const { api, view, logger, now } = deps;
  const known: Known = {
    routes: createAnswersByRole(freshMs),
    services: new Map(),
    failures: new Map(),
    said: new Set(),
  };
  const ask: Ask = async (scope, targetGroups, { priority, signal }) => {
    const askedAt = now();
    const due = known.routes.due(scope, targetGroups, askedAt);
    if (due.length === 0) return;
    const failedAt = known.failures.get(scopeKey(scope));
    if (priority === 'user' && failedAt !== undefined && askedAt - failedAt < quietMs) return;
    try {
      const found =
        priority === 'sweep'
          ? await api.routesTo(scope, due, priority, signal)
          : await withDeadline({ timeoutMs: patienceMs, caller: signal, late: silent }, (within) =>
              api.routesTo(scope, due, priority, within),
            );
      known.failures.delete(scopeKey(scope));
      for (const group of due) known.routes.note(scope, group, found.get(group) ?? [], askedAt);
    } catch (error) {
      signal.throwIfAborted();
      known.failures.set(scopeKey(scope), askedAt);
      sayOnce(known, logger, error);
    }
  };
  return {
    async endpoints(desired, how) {
      const balanced = await lookAt({ known, ask }, desired, how);
      return balanced && endpointsOf(known, balanced);
    },
    async seen(desired, how) {
      if (desired.rules.length === 0) return undefined;
      const balanced = await lookAt({ known, ask }, desired, how);
      return balanced && seenOf(known, balanced);
    },
    changed(target) {
      const before = known.services.get(serviceKey(target));
      if (before !== undefined) known.routes.drop(target.scope, targetGroupsOf(before.settings));
    },
    async sweep(onChange, signal) {
      forgetUnwatched(known, view);
      try {
        await sweepRoutes(known, ask, { onChange, signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Undefined: it has no target group that is known. */
async function lookAt(
  { known, ask }: { readonly known: Known; readonly ask: Ask },
  desired: DesiredService,
  { fresh, signal }: Looking,
): Promise<Balanced | undefined> {
  const { target, tenantId, settings, rules, containers } = desired;
  const groups = targetGroupsOf(settings);
  if (groups.length === 0) {
    known.services.delete(serviceKey(target));
    return undefined;
  }
  const balanced = { target, tenantId, settings, rules, ports: portsOf(containers) };
  known.services.set(serviceKey(target), balanced);
  if (fresh) await ask(target.scope, groups, { priority: 'user', signal });
  return balanced;
}

function forgetUnwatched({ services, routes }: Known, view: Pick<ServiceView, 'watched'>): void {
  const watched = new Set(view.watched().map((one) => serviceKey(one.target)));
  for (const key of services.keys()) if (!watched.has(key)) services.delete(key);
  routes.keep(
    [...services.values()].map(({ target, settings }) => ({
      scope: target.scope,
      names: targetGroupsOf(settings),
    })),
  );
}

function silent(): ComputeError {
  return new ComputeError(
    'ProviderUnavailable',
    `no answer of Elastic Load Balancing within ${patienceMs / 1_000} seconds`,
  );
}

/** Undefined where not all of its target groups were asked about. */
function endpointsOf({ routes }: Known, { target, settings, ports }: Balanced) {
  const found = targetGroupsOf(settings).map((group) => routes.last(target.scope, group));
  if (found.length === 0 || found.includes(undefined)) return undefined;
  return listenerEndpoints(settings, ports, (group) => routes.last(target.scope, group)?.answer ?? []);
}

/** Undefined where not all of those that are made for it were asked about. */
function seenOf(
  { routes }: Known,
  { target, settings, rules }: Balanced,
): ReadonlyMap<string, readonly Route[]> | undefined {
  const names = new Set(rules.map(({ group }) => group.name));
  const own = targetGroupsOf(settings).filter((arn) => names.has(groupNameIn(arn)));
  const found = own.map((arn) => [arn, routes.last(target.scope, arn)?.answer] as const);
  const answers = found.flatMap(([arn, answer]) => (answer === undefined ? [] : [[arn, answer] as const]));
  return answers.length === own.length ? new Map(answers) : undefined;
}

async function sweepRoutes(
  known: Known,
  ask: Ask,
  { onChange, signal }: { readonly onChange: OnChange; readonly signal: AbortSignal },
): Promise<void> {
  const sizeOf = ({ settings }: Balanced): number => targetGroupsOf(settings).length;
  for (const group of serviceGroups([...known.services.values()], groupsAtOnce, sizeOf)) {
    const shown = (): readonly string[] =>
      group.map((one) => JSON.stringify([endpointsOf(known, one), [...(seenOf(known, one) ?? [])]]));
    const before = shown();
    const targetGroups = group.flatMap(({ settings }) => targetGroupsOf(settings));
    await ask(group[0].target.scope, [...new Set(targetGroups)], { priority: 'sweep', signal });
    const after = shown();
    for (const [index, { tenantId }] of group.entries())
      if (before[index] !== after[index]) onChange(tenantId);
  }
}

/** A right that is not there is not there for each of them, at each sweep. */
function sayOnce({ said }: Known, logger: Logger, error: unknown): void {
  const problem = error instanceof ComputeError ? error.message : String(error);
  if (said.has(problem)) return;
  said.add(problem);
  logger.warn(
    { problem },
    'it is not known by which listeners services are reached: the addresses of their tasks are shown instead',
  );
}
