import type { Dependency } from '../../../../../api/container/lifecycle-fields.ts';
import { isCompleted } from '../container-end.ts';
import { containerHealth, endWords } from '../container-health.ts';
import { oldRepair } from './repair.ts';
import type { ContainerComparison } from './comparison.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { siblingIn } from '../network/shared-namespace.ts';
import { readOrder } from '../process/start-order-mark.ts';
import type { Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * Which containers may be started, by what they depend on. What counts is what stands for each in this desired state: the
 * successor where there is to be one. The engine itself keeps no order, where it starts again what it has to. Pure.
 */

interface Standing {
  readonly engineName: string;
  readonly waitsFor: readonly Dependency[];
  /** Whose network namespace it is in, which the engine opens while that one runs. */
  readonly within?: string | undefined;
  /** Undefined: it is not made yet. */
  readonly container: ObservedContainer | undefined;
}

/** By names in the spec. A job that is done and gone is not among them. */
type Standings = ReadonlyMap<string, Standing>;

export function standingsOf(containers: readonly ContainerComparison[]): Standings {
  return new Map(
    containers.map(({ desired, current, currentMatches, next }) => [
      desired.spec.name,
      {
        engineName: desired.engineName,
        waitsFor: desired.spec.dependsOn ?? [],
        within: siblingIn(desired.network.name),
        container: currentMatches ? current : next,
      },
    ]),
  );
}

/** Of what was made for an earlier spec, by its own word. */
export function standingsOfOld(old: readonly ObservedContainer[]): Standings {
  return new Map(
    old.flatMap((container) => {
      const { name, made } = container;
      const standing = { engineName: name, waitsFor: readOrder(made.dependsOn), container };
      return made.container === undefined ? [] : [[made.container, standing] as const];
    }),
  );
}

/** What a container can't be started before. */
interface Obstacle {
  /** Name in the spec of what is waited for. */
  readonly on: string;
  readonly until: string;
  /** `over`: that will never be; `told`: nor that, and who waits for nothing else is told why. */
  readonly outlook: 'coming' | 'over' | 'told';
  /** How it has ended: `, which exited with code 1`. */
  readonly end?: string;
  readonly lookAgainAfterMs: number;
}

/** Whatever becomes of what is waited for, an event tells; this is for one that is lost. */
const lostEventMs = 30_000;

function obstaclesTo(
  { waitsFor, within }: Pick<Standing, 'waitsFor' | 'within'>,
  standings: Standings,
  context: OrderContext,
): readonly Obstacle[] {
  return waitsFor.flatMap((dependency) => {
    const standing = standings.get(dependency.container);
    const isDown = dependency.container === within && standing?.container?.state !== 'running';
    if (standing === undefined || (!isDown && isFulfilled(dependency, standing, context))) return [];
    return [obstacleOf(dependency, standing, { standings, context })];
  });
}

function isFulfilled(
  { condition = 'Started' }: Dependency,
  { container }: Standing,
  { clock, failed }: OrderContext,
): boolean {
  if (container === undefined || failed.has(container.id)) return false;
  if (isCompleted(container)) return true;
  if (condition === 'Completed') return false;
  if (condition === 'Started') return isUp(container) || hasEnded(container);
  const { state, health } = containerHealth(container, clock);
  return state === 'running' && health === 'healthy';
}

/** For good: nothing starts it again. */
function hasEnded(container: ObservedContainer): boolean {
  return container.state === 'exited' && oldRepair(container) === 'none';
}

const conditionWords = { Started: 'is started', Healthy: 'is healthy', Completed: 'has completed' } as const;

function obstacleOf(
  { container: on, condition = 'Started' }: Dependency,
  standing: Standing,
  { standings, context }: Order,
): Obstacle {
  const { engineName, container } = standing;
  const { failed, clock } = context;
  const until = conditionWords[condition];
  const lookAgainAfterMs =
    container === undefined || condition === 'Completed'
      ? lostEventMs
      : (containerHealth(container, clock).lookAgainAfterMs ?? lostEventMs);
  const obstacle = { on, until, lookAgainAfterMs };
  if (failed.has(container?.id ?? engineName)) return { ...obstacle, outlook: 'told' };
  if (container !== undefined && hasEnded(container))
    return {
      ...obstacle,
      outlook: 'over',
      end: `, which ${endWords(container)}`,
    };
  const before =
    container === undefined || container.state === 'created' ? obstaclesTo(standing, standings, context) : [];
  const isComing = before.length === 0 || before.some(({ outlook }) => outlook === 'coming');
  return { ...obstacle, outlook: isComing ? 'coming' : 'told' };
}

/** What has run already serves again as soon as the others are up: how those do is no reason to keep it down. */
function awaitedOf({ waitsFor, container }: Standing): readonly Dependency[] {
  const hasRun = container !== undefined && container.state !== 'created';
  return hasRun ? waitsFor.map((one) => ({ ...one, condition: 'Started' })) : waitsFor;
}

/** Containers by their names in the spec, with what they wait for. */
export type HeldUp = ReadonlyMap<string, readonly Obstacle[]>;

export interface Order<Context extends OrderContext = OrderContext> {
  readonly standings: Standings;
  readonly context: Context;
}

type OrderContext = Pick<SuccessorContext, 'clock' | 'failed'>;

/** Those of these names that can't be started yet. */
export function heldUpOf(names: readonly string[], { standings, context }: Order): HeldUp {
  return new Map(
    names.flatMap((name) => {
      const standing = standings.get(name);
      const waiting =
        standing === undefined ? { waitsFor: [] } : { ...standing, waitsFor: awaitedOf(standing) };
      const obstacles = obstaclesTo(waiting, standings, context);
      return obstacles.length === 0 ? [] : [[name, obstacles] as const];
    }),
  );
}

/** Until something that is waited for is as it must be. Undefined: nothing of that can be waited for. */
export function planPatience(heldUp: HeldUp): Step | undefined {
  const waits = [...heldUp].flatMap(([name, obstacles]) =>
    obstacles.filter(({ outlook }) => outlook === 'coming').map((obstacle) => ({ name, obstacle })),
  );
  if (waits.length === 0) return undefined;
  const words = waits.map(({ name, obstacle: { on, until } }) => `${on} ${until}, before ${name} is started`);
  return {
    do: 'wait',
    message: `Waiting until ${words.join('; until ')}`,
    lookAgainAfterMs: Math.min(...waits.map(({ obstacle }) => obstacle.lookAgainAfterMs)),
  };
}

/** Containers that will not be started as things are, by their names in the spec, and why. */
export function stranded(
  heldUp: HeldUp,
): readonly { readonly name: string; readonly why: string; readonly isForGood: boolean }[] {
  return [...heldUp].flatMap(([name, obstacles]) => {
    const over = obstacles.filter(({ outlook }) => outlook === 'over');
    if (over.length === 0 && obstacles.some(({ outlook }) => outlook === 'coming')) return [];
    const named = over.length > 0 ? over : obstacles;
    const why = `waits for ${named.map(({ on, end = '' }) => `${on}${end}`).join(', and for ')}`;
    return [{ name, why, isForGood: over.length > 0 }];
  });
}
