import type { Route } from '../../../../src/compute/providers/ecs/address/route.ts';
import { checkText, ruleText } from '../../../../src/compute/providers/ecs/address/listener-rule.ts';
import { loadBalancerOf } from '../../../../src/compute/providers/ecs/address/target-groups.ts';
import type {
  BalancingApi,
  NewGroup,
  SeenRule,
} from '../../../../src/compute/providers/ecs/engine/balancing/balancing-api.ts';
import { ComputeError } from '../../../../src/compute/errors.ts';

/** Elastic Load Balancing in memory: listeners that others have made, and what is made at them. */
export interface MemoryBalancing {
  readonly api: BalancingApi;
  /** By ARN. */
  readonly groups: Map<string, MemoryGroup>;
  /** Rules of each listener that there is, by its ARN. */
  readonly listeners: Map<string, SeenRule[]>;
  /** Ways to target groups that others have made, by ARN. */
  readonly routes: Map<string, readonly Route[]>;
  /** Whether a rule leads to the target group, as ECS asks before it takes one. */
  leadsTo(group: string): boolean;
}

export interface MemoryGroup extends Omit<NewGroup, 'check'> {
  readonly arn: string;
  check: NewGroup['check'];
  delay: number;
}

export const balancingWrites: Readonly<Record<string, 'consented' | 'new'>> = {
  createTargetGroup: 'new',
  modifyTargetGroup: 'consented',
  setDeregistrationDelay: 'consented',
  createRule: 'new',
  modifyRule: 'consented',
  setRulePriority: 'consented',
  tagRule: 'new',
  deleteRule: 'consented',
  deleteTargetGroup: 'consented',
};

const elb = 'arn:aws:elasticloadbalancing:us-west-2:123456789012';
export const listenerArn = (name: string) => `${elb}:listener/app/${name}/0123456789abcdef/fedcba9876543210`;

/** `isRegistered`: whether tasks of a service are registered with the target group. */
export function memoryBalancing(isRegistered: (group: string) => boolean): MemoryBalancing {
  const groups: MemoryBalancing['groups'] = new Map();
  const listeners: MemoryBalancing['listeners'] = new Map();
  const routes: MemoryBalancing['routes'] = new Map();
  let ids = 0;
  const all = (): readonly SeenRule[] => [...listeners.values()].flat();
  const leadsTo = (group: string): boolean =>
    all().some(({ forwards }) => forwards.some((one) => one.group === group));
  const found = (arn: string): { readonly rule: SeenRule; readonly rules: SeenRule[] } | undefined => {
    const rules = [...listeners.values()].find((some) => some.some((rule) => rule.arn === arn));
    const rule = rules?.find((one) => one.arn === arn);
    return rules === undefined || rule === undefined ? undefined : { rule, rules };
  };
  const waysTo = (group: string): readonly Route[] =>
    [...listeners].flatMap(([listener, rules]) =>
      rules
        .filter(({ forwards }) => forwards.some((one) => one.group === group && one.weight > 0))
        .map((rule) => ({
          rule: rule.arn,
          listener,
          host: `${loadBalancerOf(listener).split('/')[2]}.example`,
          protocol: 'HTTPS',
          port: 443,
          ...(rule.hosts[0] === undefined ? {} : { hostHeader: rule.hosts[0] }),
          ...(rule.paths[0] === undefined ? {} : { path: rule.paths[0] }),
          text: ruleText(rule),
          check: checkText(groups.get(group)?.check ?? noCheck),
        })),
    );
  return {
    groups,
    listeners,
    routes,
    leadsTo,
    api: {
      async routesTo(_scope, wanted) {
        return new Map([...wanted.map((group) => [group, waysTo(group)] as const), ...routes]);
      },
      async targetGroups(_scope, prefix) {
        return [...groups.values()].filter(({ name }) => name.startsWith(prefix));
      },
      async listenerRules(_scope, listener) {
        return structuredClone(listeners.get(listener)) ?? 'missing';
      },
      async vpcOf() {
        return 'vpc-1';
      },
      async createTargetGroup(_scope, group) {
        const before = [...groups.values()].find(({ name }) => name === group.name);
        if (before !== undefined) return before.arn;
        const arn = `${elb}:targetgroup/${group.name}/${(ids += 1)}`;
        groups.set(arn, { ...group, arn, delay: 300 });
        return arn;
      },
      async modifyTargetGroup(_scope, { arn, check }) {
        Object.assign(groups.get(arn) ?? {}, { check });
      },
      async setDeregistrationDelay(_scope, { arn, delay }) {
        Object.assign(groups.get(arn) ?? {}, { delay });
      },
      async createRule(_scope, { listener, ...rule }) {
        const rules = listeners.get(listener);
        if (rules === undefined) return 'missing';
        if (rules.some(({ priority }) => priority === rule.priority)) return 'taken';
        rules.push({
          ...structuredClone(rule),
          arn: `${listener.replace(':listener/', ':listener-rule/')}/${(ids += 1)}`,
        });
        return 'done';
      },
      async modifyRule(_scope, { arn, ...rule }) {
        const one = found(arn);
        if (one === undefined) return 'missing';
        Object.assign(one.rule, structuredClone(rule), { isMore: false });
        return 'done';
      },
      async setRulePriority(_scope, { arn, priority }) {
        const one = found(arn);
        if (one === undefined) return 'missing';
        if (one.rules.some((rule) => rule.priority === priority)) return 'taken';
        Object.assign(one.rule, { priority });
        return 'done';
      },
      async tagRule(_scope, arn, tags) {
        const rule = found(arn)?.rule;
        if (rule !== undefined) Object.assign(rule, { tags: { ...rule.tags, ...tags } });
      },
      async deleteRule(_scope, arn) {
        const one = found(arn);
        one?.rules.splice(one.rules.indexOf(one.rule), 1);
      },
      async deleteTargetGroup(_scope, arn) {
        if (leadsTo(arn)) return 'in-use';
        if (isRegistered(arn)) throw new Error(`tasks are registered with ${arn}, which is to be removed`);
        groups.delete(arn);
        return 'done';
      },
    },
  };
}

const noCheck: NewGroup['check'] = {
  protocol: '',
  path: '',
  port: '',
  matcher: '',
  interval: 0,
  timeout: 0,
  healthyThreshold: 0,
  unhealthyThreshold: 0,
};

/** As ECS refuses one that no load balancer leads to. */
export function notLedTo(group: string): ComputeError {
  return new ComputeError(
    'InvalidSpec',
    `The target group with targetGroupArn ${group} does not have an associated load balancer.`,
  );
}
