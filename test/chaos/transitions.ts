import { findCondition } from '../../src/api/conditions.ts';
import { quietReasons } from '../../src/controller/status/transition-events.ts';
import type { Tenant } from '../../src/api/tenant.ts';

/** Whether what lasted was told: pure. */

export interface Transition {
  readonly tenant: string;
  readonly reason: string;
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number;
}

export interface ToldEvent {
  readonly tenant: string;
  readonly reason: string;
  /** When it was said, or said again, for the last time. */
  readonly lastAt: number;
}

/** Each change of the reason of Ready, as a watch shows it. */
export class TransitionLog {
  readonly #log = new Map<string, Transition[]>();

  note({ metadata, status }: Tenant, at: number): void {
    const reason = findCondition(status?.conditions, 'Ready')?.reason;
    const log = this.#log.get(metadata.name) ?? [];
    if (reason === undefined || log.at(-1)?.reason === reason) return;
    this.#log.set(metadata.name, [...log, { tenant: metadata.name, reason, at }]);
  }

  /** Those since `from` that stood for `forMs`, in the order of their tenants. */
  lasting(from: number, until: number, forMs: number): readonly Transition[] {
    return [...this.#log.values()].flatMap((log) =>
      log.filter(({ at }, index) => at >= from && (log[index + 1]?.at ?? until) - at >= forMs),
    );
  }
}

/** Unhealthy is told as drift where it is repaired. */
const untold: readonly string[] = [...quietReasons, 'Unhealthy'];

/** The clocks are one, but who writes a status and an Event looks at it twice. */
const slackMs = 5_000;

/** Failures that lasted and that no Event names. */
export function untoldOf(
  transitions: readonly Transition[],
  events: readonly ToldEvent[],
): readonly Transition[] {
  return transitions
    .filter(({ reason }) => !untold.includes(reason))
    .filter(
      ({ tenant, reason, at }) =>
        !events.some(
          (event) => event.tenant === tenant && event.reason === reason && event.lastAt >= at - slackMs,
        ),
    );
}
