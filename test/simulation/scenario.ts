import { apiserverActions, operatorActions } from './actions/operators.ts';
import { ecsActions } from './actions/ecs.ts';
import { engineActions } from './actions/engines.ts';
import type { Action } from './actions/scene.ts';
import { userActions } from './actions/users.ts';
import type { Random } from './random.ts';

/** What a run does, drawn from its seed. */

const actions = { ...userActions, ...ecsActions, ...engineActions, ...operatorActions, ...apiserverActions };
export type ActionName = keyof typeof actions;

export function actionNamed(name: ActionName): Action {
  return actions[name];
}

export interface Scenario {
  readonly theme: Theme;
  readonly tenants: number;
  /** How often an image does not do. */
  readonly badness: number;
  readonly skewMs: number;
  readonly discardsLimits: boolean;
  readonly leftOut: ReadonlySet<string>;
  /** Containers wait for each other. */
  readonly hasOrder: boolean;
  /** Whether people have something run before a rollout. */
  readonly hasReleases: boolean;
  /** Tenants have replicas, sometimes more, sometimes fewer. */
  readonly hasReplicas: boolean;
  /** Tenants have a container that is in the network namespace of another one. */
  readonly hasGuests: boolean;
  /** People want to be asked before anything changes, and look after what waits for them all the time. */
  readonly hasApprovals: boolean;
  /** Images that nobody needs go, at the first occasion. */
  readonly hasImageGc: boolean;
  /** The operator looks after some Tenants alone. */
  readonly hasSelector: boolean;
  readonly steps: readonly { readonly afterMs: number; readonly action: ActionName }[];
  /** Minutes in which nothing happens, at the end. */
  readonly quietMinutes: number;
}

type Weights = Readonly<Partial<Record<ActionName, number>>>;

/** Any of them may happen in any run; a theme has its own more often. */
const always: Weights = {
  create: 6,
  edit: 8,
  editImage: 4,
  delete: 2,
  suspend: 1,
  request: 1,
  label: 1,
  approve: 1,
};

const themes = {
  edits: {
    secretsFail: 1,
    edit: 10,
    editImage: 8,
    lag: 3,
    createAndDelete: 3,
    request: 3,
    breakWatches: 2,
    flaky: 2,
    rotateSecret: 2,
  },
  deletion: {
    delete: 6,
    createAndDelete: 4,
    wipeStatusOfSuspended: 3,
    retainAndReapply: 4,
    wipeStatus: 2,
    absence: 2,
    brokenStatus: 2,
    otherFinalizer: 2,
    createSuspended: 2,
  },
  crashes: { crash: 8, handOver: 4, absence: 3, apiserverDown: 2, blindStart: 0.5, loseAnswers: 2, flaky: 2 },
  engine: { restart: 8, restartKilled: 3, freeze: 3, cutOff: 5, refuse: 4, loseAnswers: 2, breakOne: 2 },
  hands: {
    removeSlowly: 2,
    fillPool: 2,
    kill: 4,
    stop: 4,
    remove: 4,
    commit: 5,
    prune: 3,
    limit: 4,
    flaw: 3,
    holdPort: 2,
  },
  rollouts: { editImage: 10, edit: 14, restart: 2, holdPort: 4, removeSlowly: 1, flaw: 1, cutOff: 1 },
  moves: { move: 6, otherPrefix: 3, otherEngine: 2, otherBindAddress: 2, otherDefaults: 2, editImage: 3 },
  rivals: { rival: 3, otherDefaults: 2, twin: 4, crash: 1 },
  ecs: {
    editImage: 6,
    ecsOutage: 2,
    ecsDenied: 2,
    ecsThrottle: 2,
    ecsLoseAnswer: 3,
    ecsCrash: 2,
    ecsRebalance: 1,
    ecsScale: 1,
    move: 2,
    crash: 2,
  },
  selection: { unselect: 8, suspend: 1, move: 1, crash: 1 },
  all: Object.fromEntries(
    [
      ...Object.keys(userActions),
      ...Object.keys(engineActions),
      ...Object.keys(operatorActions),
      ...Object.keys(apiserverActions),
    ].map((name) => [name, 1]),
  ) as Weights,
} as const satisfies Record<string, Weights>;
export type Theme = keyof typeof themes;

/** What a run draws from, each by itself. */
export type Chances = Readonly<
  Record<'random' | 'aside' | 'releases' | 'counts' | 'consents' | 'images' | 'guests', Random>
>;

/**
 * `leftOut`: actions and circumstances that it does without. What is drawn from the others changes nothing of what is drawn
 * from `random`.
 */
export function drawScenario(
  { random, aside, releases, counts, consents, images, guests }: Chances,
  leftOut: ReadonlySet<string>,
): Scenario {
  const theme = random.pick(Object.keys(themes) as Theme[]);
  const weights = without(addWeights(always, themes[theme]), leftOut);
  const count = random.int(6, 22);
  return {
    theme,
    tenants: random.int(1, 3),
    badness: random.pick([0, 0.1, 0.3]),
    skewMs: leftOut.has('skew') ? 0 : random.pick([0, 0, 0, -600_000, 600_000]),
    discardsLimits: !leftOut.has('limits') && random.chance(0.08),
    leftOut,
    hasOrder: aside.chance(0.3) && !leftOut.has('order'),
    hasReleases: releases.chance(0.25) && !leftOut.has('releases'),
    hasReplicas: counts.chance(0.25) && !leftOut.has('replicas'),
    hasGuests: guests.chance(0.2) && !leftOut.has('guests'),
    hasApprovals: consents.chance(0.2) && !leftOut.has('approval'),
    hasImageGc: images.chance(0.25) && !leftOut.has('imageGc'),
    hasSelector: theme === 'selection',
    steps: Array.from({ length: count }, () => ({
      afterMs: pause(random),
      action: random.weighted<ActionName>(weights),
    })),
    quietMinutes: random.chance(0.05) ? 60 : 11,
  };
}

function without(weights: Weights, leftOut: ReadonlySet<string>): Weights {
  return Object.fromEntries(Object.entries(weights).filter(([name]) => !leftOut.has(name)));
}

function addWeights(a: Weights, b: Weights): Weights {
  const sum: Partial<Record<ActionName, number>> = { ...a };
  for (const [name, weight] of Object.entries(b) as [ActionName, number][])
    sum[name] = (sum[name] ?? 0) + weight;
  return sum;
}

/** Mostly at once or soon; now and then long after. */
function pause(random: Random): number {
  const ranges = {
    burst: [0, 100],
    soon: [100, 4_000],
    settled: [4_000, 40_000],
    long: [300_000, 1_800_000],
  } as const;
  const [from, to] = ranges[random.weighted({ burst: 3, soon: 4, settled: 3, long: 0.3 })];
  return random.int(from, to);
}
