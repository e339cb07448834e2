import { ComputeError } from '../../../../errors.ts';
import { unknownArnOf } from '../../address/target-groups.ts';
import type { EcsConfig, EcsOperatorBlock } from '../../config.ts';
import { isDaemon } from '../service/daemon.ts';
import { policyMetrics, policyPrefix } from './scaling.ts';
import type { OwnPolicy, OwnScaling, PolicyKind } from './scaling.ts';

type Autoscaling = NonNullable<EcsConfig['autoscaling']>;

/** As nobody names a least: a service that runs. */
const defaultMin = 1;

/** Undefined: nobody asks for it. Throws InvalidSpec, naming the key; defaults of the operator's are not for a DAEMON. */
export function desireScaling(
  config: EcsConfig,
  block: Pick<EcsOperatorBlock, 'autoscaling'>,
): OwnScaling | undefined {
  const { autoscaling } = config;
  if (autoscaling === undefined) return undefined;
  if (isDaemon(config)) {
    if (JSON.stringify(autoscaling) === JSON.stringify(block.autoscaling)) return undefined;
    throw invalid('', 'a DAEMON has as many tasks as there are instances. Leave it out');
  }
  const { min = defaultMin, max } = autoscaling;
  if (max === undefined) throw invalid('.max', 'is required: the most tasks that there may be');
  if (min > max) throw invalid('.min', `${min} is more than max, ${max}`);
  const policies = policiesOf(config, autoscaling);
  if (policies.length === 0) throw invalid('', 'name what it goes by: cpu, memory or requests');
  return { min, max, policies };
}

/** By name, as they are compared. */
function policiesOf(config: EcsConfig, { cpu, memory, requests }: Autoscaling): readonly OwnPolicy[] {
  return [
    ...(cpu === undefined ? [] : [policy('cpu', cpu)]),
    ...(memory === undefined ? [] : [policy('memory', memory)]),
    ...(requests === undefined
      ? []
      : [{ ...policy('requests', requests.per_task), label: labelOf(config, requests) }]),
  ];
}

function policy(kind: PolicyKind, target: number): OwnPolicy {
  return { name: `${policyPrefix}${kind}`, metric: policyMetrics[kind], target };
}

/** https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html */
function labelOf(
  { load_balancers: balancers = [], deployment }: EcsConfig,
  { load_balancer_arn: balancer }: NonNullable<Autoscaling['requests']>,
): string {
  const [first] = balancers;
  if (first === undefined)
    throw invalid('.requests', 'needs load_balancers, whose first target group is the one that is counted');
  if (deployment?.strategy !== undefined && deployment.strategy !== 'ROLLING')
    throw invalid('.requests', `counts one target group, and ${deployment.strategy} has two of them in turn`);
  // That of a listener_rule is known once it is there (known-groups.ts).
  const group = first.target_group_arn?.split(':').at(-1) ?? unknownArnOf('');
  return `${balancer.slice(balancer.indexOf('/') + 1)}/${group}`;
}

function invalid(key: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.computeConfig.ecs.autoscaling${key}: ${what}`);
}
