import type { Effect } from '../../../../../api/status.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import type { LiveSettings } from '../live-settings.ts';
import type { ObservedContainer } from '../observed-container.ts';

/** What can be done about a tenant's containers, as a value. `effect`: on what runs; see `Change`. */
export type Step =
  | { readonly do: 'create'; readonly containers: readonly NewContainer[] }
  | {
      readonly do: 'start';
      readonly containers: readonly ObservedContainer[];
      readonly what: StartOf;
      readonly failures?: readonly Failure[];
    }
  | { readonly do: 'unpause'; readonly container: ObservedContainer }
  | { readonly do: 'update'; readonly container: ObservedContainer; readonly live: LiveSettings }
  | {
      readonly do: 'stop';
      readonly containers: readonly ObservedContainer[];
      /** For whose sake: those that can't run beside the ones to be stopped. */
      readonly successors?: readonly DesiredContainer[];
      /** They are started again: they fail their health check. */
      readonly isRestart?: true;
      readonly effect: Effect;
      readonly failures?: readonly Failure[];
    }
  | {
      readonly do: 'remove';
      readonly containers: readonly ObservedContainer[];
      readonly effect: Effect;
    }
  | { readonly do: 'rename'; readonly container: ObservedContainer; readonly name: string }
  | JoinStep
  | { readonly do: 'wait'; readonly message: string; readonly lookAgainAfterMs: number }
  /** Like `remove`, and with it the attempt is over: for good where it failed by itself, else for now. */
  | {
      readonly do: 'give-up';
      readonly containers: readonly ObservedContainer[];
      readonly message: string;
      readonly forGood: boolean;
    }
  /** Nothing is left to do, and what is there will not do. */
  | { readonly do: 'fail'; readonly message: string }
  | { readonly do: 'nothing' };

/** Into the tenant's own network, or another one. */
export interface JoinStep {
  readonly do: 'join';
  readonly joining: readonly Joining[];
}

/** One that is in the network already leaves it for a moment: nobody knows it by a name there. */
export interface Joining {
  readonly container: ObservedContainer;
  readonly network: string;
  /** By which it is to be found there. */
  readonly aliases: readonly string[];
  /** It serves there, and leaves for a moment: 200 ms, or a restart where it gets another address. Absent: nobody is cut off. */
  readonly effect?: Effect;
}

/** Why a container does not do. `own`: by itself, so that the next one like it would not do either. */
export interface Fault {
  readonly why: string;
  readonly own: boolean;
  /** Something on the host has what it needs, and mostly keeps it. */
  readonly lasts?: boolean;
}

/** A successor that does not do: to be told in the next look's `failed`. */
export interface Failure extends Fault {
  readonly id: string;
  readonly name: string;
}

export interface NewContainer {
  readonly desired: DesiredContainer;
  readonly name: string;
  /** Whose place it is to take. */
  readonly predecessor?: ObservedContainer | undefined;
  /** Name on the engine of the sibling in whose network namespace it is to be. Absent: it has its own. */
  readonly joins?: string;
}

/** What a refusal to start means: a failed successor is rolled back, an old one is put back as well as can be. */
export type StartOf = 'serving' | 'successor' | 'old';
