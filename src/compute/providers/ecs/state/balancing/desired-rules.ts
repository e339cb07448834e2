import { ComputeError } from '../../../../errors.ts';
import { accountOf, regionOf } from '../../address/arns.ts';
import type { GroupCheck } from '../../address/listener-rule.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import { groupNameOf, unknownArnOf } from '../../address/target-groups.ts';
import type { EcsConfig } from '../../config.ts';
import { settingsOf } from '../service/service-fields.ts';
import type { ServiceSettings } from '../service/service-fields.ts';
import { usualDelay } from './own-rules.ts';
import type { OwnGroup, OwnRule } from './own-rules.ts';

type Balancer = NonNullable<EcsConfig['load_balancers']>[number];
type Rule = NonNullable<Balancer['listener_rule']>;

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html: values in all conditions of a rule. */
const mostValues = 5;

interface Reaching {
  readonly target: ServiceTarget;
  /** That its tasks have for themselves, if they do. */
  readonly network: object | undefined;
}

/** How the service is run and reached, and the rules that are made for it. Throws InvalidSpec, naming the key. */
export function desireReach(
  config: EcsConfig,
  { target, network }: Reaching,
): { readonly settings: ServiceSettings; readonly rules: readonly OwnRule[] } {
  const targetType = network === undefined ? 'instance' : 'ip';
  const before: string[] = [];
  const rules: OwnRule[] = [];
  const balancers = config.load_balancers?.map((balancer, index) => {
    const { listener_rule: rule, target_group: group, target_group_arn: arn, ...named } = balancer;
    const path = `[${index}]`;
    if (rule === undefined) return { ...named, target_group_arn: arn ?? '' };
    checkTimes(balancer, path);
    checkRule(rule, { target, path });
    // Neither its port nor its place in the list: another port of the same container needs no other target group.
    const kind = `${rule.listener_arn} ${named.container_name}`;
    const nth = before.filter((one) => one === kind).length;
    before.push(kind);
    const own = ownGroup(group ?? {}, { target, targetType, kind: [kind, nth] });
    rules.push(ownRule(rule, own));
    return { ...named, target_group_arn: unknownArnOf(own.name) };
  });
  checkPriorities(rules);
  return { settings: settingsOf({ ...config, load_balancers: balancers }), rules };
}

function ownRule(rule: Rule, group: OwnGroup): OwnRule {
  const { listener_arn: listener, priority, host_header: hosts = [], path_pattern: paths = [] } = rule;
  return { listener, priority, hosts: hosts.toSorted(), paths: paths.toSorted(), group };
}

function ownGroup(
  config: NonNullable<Balancer['target_group']>,
  {
    target,
    targetType,
    kind,
  }: { readonly target: ServiceTarget; readonly targetType: OwnGroup['targetType']; readonly kind: unknown },
): OwnGroup {
  const { protocol = 'HTTP', protocol_version: protocolVersion = 'HTTP1' } = config;
  const fixed = { protocol, protocolVersion, targetType };
  return {
    name: groupNameOf(target, [kind, fixed]),
    ...fixed,
    check: checkOf(config),
    deregistrationDelay: config.deregistration_delay ?? usualDelay,
  };
}

/** With what Elastic Load Balancing takes where nobody says otherwise: what is named no longer goes back to that. */
function checkOf({
  protocol = 'HTTP',
  protocol_version: version,
  health_check: check = {},
}: NonNullable<Balancer['target_group']>): GroupCheck {
  const isGrpc = version === 'GRPC';
  return {
    protocol,
    path: check.path ?? (isGrpc ? '/AWS.ALB/healthcheck' : '/'),
    port: check.port === undefined ? 'traffic-port' : String(check.port),
    matcher: check.matcher ?? (isGrpc ? '12' : '200'),
    interval: check.interval ?? 30,
    timeout: check.timeout ?? 5,
    healthyThreshold: check.healthy_threshold ?? 5,
    unhealthyThreshold: check.unhealthy_threshold ?? 2,
  };
}

function checkTimes({ target_group: group }: Balancer, path: string): void {
  const { interval = 30, timeout = 5 } = group?.health_check ?? {};
  if (timeout < interval) return;
  throw invalid(
    `${path}.target_group.health_check.timeout`,
    `${timeout} must be less than the interval, ${interval}`,
  );
}

function checkRule(
  { listener_arn: listener, host_header: hosts = [], path_pattern: paths = [] }: Rule,
  { target, path }: { readonly target: ServiceTarget; readonly path: string },
): void {
  const values = hosts.length + paths.length;
  if (values > mostValues)
    throw invalid(
      `${path}.listener_rule`,
      `has ${values} host names and paths, and a rule takes ${mostValues}`,
    );
  const [region, account] = [target.scope.region, accountOf(target.cluster)];
  if (regionOf(listener) === region && accountOf(listener) === account) return;
  throw invalid(
    `${path}.listener_rule.listener_arn`,
    `is of ${regionOf(listener)} in account ${accountOf(listener)}, and the service of ${region} in account ${account}`,
  );
}

function checkPriorities(rules: readonly OwnRule[]): void {
  const keys = rules.map(({ listener, priority }) => `${listener} ${priority}`);
  const twice = rules.find((_, index) => keys.indexOf(keys[index] ?? '') !== index);
  if (twice === undefined) return;
  throw invalid('', `two rules of ${twice.listener} have the priority ${twice.priority}: each needs its own`);
}

function invalid(key: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.computeConfig.ecs.load_balancers${key}: ${what}`);
}
