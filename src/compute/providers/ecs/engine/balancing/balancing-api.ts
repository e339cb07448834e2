import type { GroupCheck, ListenerRule } from '../../address/listener-rule.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { Consent } from '../../../../permit.ts';
import type { RouteReads } from './route-reads.ts';

/** Elastic Load Balancing as this provider makes rules and target groups by it. Calls and errors are as those of EcsApi. */

type Tags = Readonly<Record<string, string>>;

export interface SeenGroup {
  readonly arn: string;
  readonly name: string;
  readonly check: GroupCheck;
  readonly tags: Tags;
}

export interface SeenRule extends ListenerRule {
  readonly arn: string;
  readonly tags: Tags;
}

export interface BalancingReads extends RouteReads {
  /** All whose names begin so: a call for each 400 of the account's in the region, and one for the tags of each 20 of these. */
  targetGroups(scope: EcsScope, prefix: string, signal: AbortSignal): Promise<readonly SeenGroup[]>;
  /** All but the default one, with their tags: a call, and one for each 20. 'missing': there is no such listener. */
  listenerRules(
    scope: EcsScope,
    listener: string,
    signal: AbortSignal,
  ): Promise<readonly SeenRule[] | 'missing'>;
  /** The VPC that a load balancer is in. Rejects with InvalidSpec where there is no such load balancer. */
  vpcOf(scope: EcsScope, loadBalancer: string, signal: AbortSignal): Promise<string>;
}

export interface NewGroup {
  readonly name: string;
  readonly vpc: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly protocolVersion: 'HTTP1' | 'HTTP2' | 'GRPC';
  readonly targetType: 'ip' | 'instance';
  readonly check: GroupCheck;
  readonly tags: Tags;
}

export interface BalancingApi extends BalancingReads {
  /** Its ARN, also where it is there already. Rejects with ProvisionFailed where one of that name has other settings. */
  createTargetGroup(scope: EcsScope, group: NewGroup, signal: AbortSignal): Promise<string>;
  modifyTargetGroup(
    scope: EcsScope,
    change: { readonly arn: string; readonly check: GroupCheck; readonly isGrpc: boolean },
    consent: Consent,
    signal: AbortSignal,
  ): Promise<void>;
  /** `delay` in seconds. */
  setDeregistrationDelay(
    scope: EcsScope,
    change: { readonly arn: string; readonly delay: number },
    consent: Consent,
    signal: AbortSignal,
  ): Promise<void>;
  /** 'taken': another rule has the priority; 'missing': there is no such listener. Made twice, it is 'taken'. */
  createRule(
    scope: EcsScope,
    rule: ListenerRule & { readonly listener: string; readonly tags: Tags },
    signal: AbortSignal,
  ): Promise<'done' | 'taken' | 'missing'>;
  /** All but the priority. 'missing': it went away. */
  modifyRule(
    scope: EcsScope,
    rule: Omit<ListenerRule, 'priority' | 'isMore'> & { readonly arn: string },
    consent: Consent,
    signal: AbortSignal,
  ): Promise<'done' | 'missing'>;
  setRulePriority(
    scope: EcsScope,
    rule: { readonly arn: string; readonly priority: number },
    consent: Consent,
    signal: AbortSignal,
  ): Promise<'done' | 'taken' | 'missing'>;
  tagRule(scope: EcsScope, arn: string, tags: Tags, signal: AbortSignal): Promise<void>;
  /** Gone counts as deleted. */
  deleteRule(scope: EcsScope, arn: string, consent: Consent, signal: AbortSignal): Promise<void>;
  /** Gone counts as deleted. 'in-use': a rule or listener leads to it. */
  deleteTargetGroup(
    scope: EcsScope,
    arn: string,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<'done' | 'in-use'>;
}
