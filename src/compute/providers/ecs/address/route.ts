/** A way from outside to a target group. */
export interface Route {
  /** ARN of the rule, or of the listener where its default action leads there. */
  readonly rule: string;
  /** DNS name of the load balancer. */
  readonly host: string;
  /** HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP. */
  readonly protocol: string;
  readonly port: number;
  /** What the rule asks of the host header, and of the path: the first of each. */
  readonly hostHeader?: string;
  readonly path?: string;
  /** To what Landlord has made: ARN of the listener, all of the rule (`ruleText`), and what the target group asks its targets (`checkText`). */
  readonly listener?: string;
  readonly text?: string;
  readonly check?: string;
}
