import type { TenantPlace } from '../../../../provider.ts';
import { groupNameIn, groupPrefixOf, isUnknownArn } from '../../address/target-groups.ts';
import type { DesiredService } from '../desired.ts';
import type { EcsService } from '../ecs-service.ts';
import type { OwnScaling } from '../scaling/scaling.ts';

/** Target groups that are made for a service get their ARNs from Elastic Load Balancing: where that of each is taken from. */

type Shown = Pick<EcsService, 'loadBalancers'>;

/** ARNs of the target groups that ECS shows of the service. */
export function shownGroups({ loadBalancers = [] }: Shown): readonly string[] {
  return loadBalancers.flatMap(
    ({ targetGroupArn }: { readonly targetGroupArn?: string | undefined }) => targetGroupArn ?? [],
  );
}

/** With the ARNs of those of its target groups that are among these, by their names. */
export function withGroups(desired: DesiredService, arns: readonly string[]): DesiredService {
  const { rules, settings, autoscaling } = desired;
  if (rules.length === 0) return desired;
  const names = new Set(rules.map(({ group }) => group.name));
  const known = new Map(arns.map((arn) => [groupNameIn(arn), arn]));
  const loadBalancers = settings.loadBalancers?.map((balancer) => {
    const name = groupNameIn(balancer.targetGroupArn);
    const arn = names.has(name) ? known.get(name) : undefined;
    return arn === undefined ? balancer : { ...balancer, targetGroupArn: arn };
  });
  const first = loadBalancers?.[0]?.targetGroupArn;
  return {
    ...desired,
    settings: { ...settings, ...(loadBalancers === undefined ? {} : { loadBalancers }) },
    ...(autoscaling === undefined || first === undefined
      ? {}
      : { autoscaling: counting(autoscaling, first) }),
  };
}

/** The same with those that the service itself has. */
export function withShownGroups(desired: DesiredService, service: Shown | undefined): DesiredService {
  return service === undefined ? desired : withGroups(desired, shownGroups(service));
}

/** Whether some target group is not known by its ARN. */
export function lacksGroups({ settings: { loadBalancers = [] } }: Pick<DesiredService, 'settings'>): boolean {
  return loadBalancers.some(({ targetGroupArn }) => isUnknownArn(targetGroupArn));
}

/** What is shown of target groups that are made for the service, among its ids in the status. */
const idPrefix = 'targetGroup';

export function groupIds(
  { target }: Pick<DesiredService, 'target'>,
  service: Shown,
): Readonly<Record<string, string>> {
  const own = shownGroups(service).filter((arn) => groupNameIn(arn).startsWith(groupPrefixOf(target)));
  return Object.fromEntries(own.map((arn, index) => [`${idPrefix}${index === 0 ? '' : index + 1}`, arn]));
}

/** Whether the status of a tenant names one. */
export function isSeenReached({ seen = {} }: Pick<TenantPlace, 'seen'>): boolean {
  return Object.keys(seen).some((key) => key.startsWith(idPrefix));
}

/** Requests are counted by the load balancer and its first target group, both of which stand in the label. */
function counting(scaling: OwnScaling, first: string): OwnScaling {
  const group = first.split(':').at(-1) ?? '';
  const policies = scaling.policies.map((policy) => {
    const { label } = policy;
    return label === undefined
      ? policy
      : { ...policy, label: `${label.slice(0, label.indexOf('/targetgroup/'))}/${group}` };
  });
  return { ...scaling, policies };
}
