import type { Random } from '../random.ts';
import type { Operator, OperatorConfig } from '../operator.ts';
import type { World } from '../world.ts';

/** The stage of one run: what its actions work with. */
export interface Scene {
  readonly world: World;
  readonly random: Random;
  /** By which people put containers in order; undefined: they don't. */
  readonly order: Random | undefined;
  /** By which they have something run before a rollout; undefined: they don't. */
  readonly releases: Random | undefined;
  /** By which people say how many replicas there are; undefined: they don't. */
  readonly counts: Random | undefined;
  /** By which they let containers share a network; undefined: they don't. */
  readonly guests: Random | undefined;
  /** By which people want to be asked before anything changes; undefined: they don't mind. */
  readonly consents: Random | undefined;
  /** Tenants that people have in mind; not all of them are there. */
  readonly names: readonly string[];
  /** Where a Tenant goes at first, and where from there. */
  readonly home: 'docker' | 'ecs';
  readonly away: 'docker' | 'mock';
  /** How often an image does not do. */
  readonly badness: number;
  /** What it does without. */
  readonly leftOut: ReadonlySet<string>;
  /** Labels that people give to a new Tenant. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the next operator is started with. */
  config: OperatorConfig;
  /** So many actions are still to be done before the next operator begins. */
  absence: number;
  anyName(): string;
  pass(ms: number): Promise<void>;
  /** Starts one, besides those that run. */
  begin(config: OperatorConfig): Operator;
  end(operator: Operator, how: 'stop' | 'crash'): Promise<void>;
}

export type Action = (scene: Scene) => Promise<void> | void;
