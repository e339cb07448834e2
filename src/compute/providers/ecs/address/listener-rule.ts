import { groupNameIn } from './target-groups.ts';

/** A rule of a listener, and what a target group asks its targets, in words by which two of them are compared. */

export interface ListenerRule {
  readonly priority: number;
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly forwards: readonly Forward[];
  /** Whether it asks for, or does, what is none of these. */
  readonly isMore?: boolean;
}

export interface Forward {
  /** ARN of the target group, or a name in its place. */
  readonly group: string;
  /** Its part of the requests; 0: none. */
  readonly weight: number;
}

/** `priority 10, host shop.example, path /api/*, to landlord-…` */
export function ruleText({ priority, hosts, paths, forwards, isMore }: ListenerRule): string {
  return [
    `priority ${priority}`,
    ...(hosts.length === 0 ? [] : [`host ${hosts.toSorted().join(' ')}`]),
    ...(paths.length === 0 ? [] : [`path ${paths.toSorted().join(' ')}`]),
    ...(isMore === true ? ['and more'] : []),
    `to ${forwards.length === 0 ? 'nothing' : forwardText(forwards)}`,
  ].join(', ');
}

/** What one group gets alone, it gets whatever its weight is. */
function forwardText(forwards: readonly Forward[]): string {
  const isOne = forwards.length === 1;
  return forwards
    .map(({ group, weight }) => `${groupNameIn(group)}${isOne ? '' : ` (${weight})`}`)
    .toSorted()
    .join(' ');
}

export interface GroupCheck {
  readonly protocol: string;
  readonly path: string;
  /** A number, or `traffic-port`. */
  readonly port: string;
  readonly matcher: string;
  /** In seconds, as is `timeout`. */
  readonly interval: number;
  readonly timeout: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

/** `HTTP /healthz at traffic-port for 200 every 30 s within 5 s, 5 good, 2 bad` */
export function checkText(check: GroupCheck): string {
  const { protocol, path, port, matcher, interval, timeout, healthyThreshold, unhealthyThreshold } = check;
  return (
    `${protocol} ${path} at ${port} for ${matcher} every ${interval} s within ${timeout} s, ` +
    `${healthyThreshold} good, ${unhealthyThreshold} bad`
  );
}
