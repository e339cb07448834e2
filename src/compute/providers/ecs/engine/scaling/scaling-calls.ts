import {
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { ApplicationAutoScalingClient, ScalingPolicy } from '@aws-sdk/client-application-auto-scaling';
import type { ServiceTarget } from '../../address/service-target.ts';
import { scalingResource } from '../../address/scaling-resource.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { EcsRefusal, refusalError } from '../ecs-refusal.ts';
import type { Priority } from '../limits/token-queue.ts';
import type { ScalingApi } from './scaling-api.ts';

/** IAM's name for whose actions they are. */
const service = 'application-autoscaling';

type Send<T> = (
  client: ApplicationAutoScalingClient,
  options: { readonly abortSignal: AbortSignal },
) => Promise<T>;

interface Call<T> {
  readonly target: ServiceTarget;
  readonly action: string;
  readonly priority?: Priority;
  readonly send: Send<T>;
}

export function scalingCalls(connection: EcsConnection): ScalingApi {
  const ask = <T>({ target, action, send, priority = 'user' }: Call<T>, signal: AbortSignal) =>
    connection.ask(
      {
        scope: target.scope,
        action: `${service}:${action}`,
        family: 'scaling',
        priority,
        isRepeatable: true,
        send: async (_ecs, options, { scaling }) => send(scaling(), options),
      },
      signal,
    );
  return { describeScaling: describing(ask), ...puttingCalls(ask), ...removingCalls(ask) };
}

type Ask = <T>(call: Call<T>, signal: AbortSignal) => Promise<T | EcsRefusal>;

function describing(ask: Ask): ScalingApi['describeScaling'] {
  return async (target, priority, signal) => {
    const { ResourceId, ...dimension } = scalingResource(target);
    const input = { ...dimension, ResourceIds: [ResourceId] };
    const found = await ask(
      {
        target,
        priority,
        action: 'DescribeScalableTargets',
        send: (client, options) => client.send(new DescribeScalableTargetsCommand(input), options),
      },
      signal,
    );
    if (found instanceof EcsRefusal) throw refusalError(found, 'ProviderUnavailable');
    const [scalable] = found.ScalableTargets ?? [];
    if (scalable === undefined) return undefined;
    return { target: scalable, policies: await policiesOf(ask, { target, priority }, signal) };
  };
}

async function policiesOf(
  ask: Ask,
  { target, priority }: { readonly target: ServiceTarget; readonly priority: Priority },
  signal: AbortSignal,
): Promise<readonly ScalingPolicy[]> {
  const policies: ScalingPolicy[] = [];
  let NextToken: string | undefined;
  do {
    const input = { ...scalingResource(target), ...(NextToken !== undefined && { NextToken }) };
    const page = await ask(
      {
        target,
        priority,
        action: 'DescribeScalingPolicies',
        send: (client, options) => client.send(new DescribeScalingPoliciesCommand(input), options),
      },
      signal,
    );
    if (page instanceof EcsRefusal) throw refusalError(page, 'ProviderUnavailable');
    policies.push(...(page.ScalingPolicies ?? []));
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  return policies;
}

function puttingCalls(ask: Ask): Pick<ScalingApi, 'registerScalableTarget' | 'putScalingPolicy'> {
  return {
    registerScalableTarget: async (target, { min, max }, _consent, signal) => {
      const input = { ...scalingResource(target), MinCapacity: min, MaxCapacity: max };
      const answer = await ask(
        {
          target,
          action: 'RegisterScalableTarget',
          send: (client, options) => client.send(new RegisterScalableTargetCommand(input), options),
        },
        signal,
      );
      return doneOrMissing(answer);
    },
    putScalingPolicy: async (target, policy, _consent, signal) => {
      const input = { ...scalingResource(target), ...policy };
      const answer = await ask(
        {
          target,
          action: 'PutScalingPolicy',
          send: (client, options) => client.send(new PutScalingPolicyCommand(input), options),
        },
        signal,
      );
      return doneOrMissing(answer);
    },
  };
}

function removingCalls(ask: Ask): Pick<ScalingApi, 'deleteScalingPolicy' | 'deregisterScalableTarget'> {
  return {
    deleteScalingPolicy: async (target, name, _consent, signal) => {
      const input = { ...scalingResource(target), PolicyName: name };
      const answer = await ask(
        {
          target,
          action: 'DeleteScalingPolicy',
          send: (client, options) => client.send(new DeleteScalingPolicyCommand(input), options),
        },
        signal,
      );
      doneOrMissing(answer);
    },
    deregisterScalableTarget: async (target, _consent, signal) => {
      const answer = await ask(
        {
          target,
          action: 'DeregisterScalableTarget',
          send: (client, options) =>
            client.send(new DeregisterScalableTargetCommand(scalingResource(target)), options),
        },
        signal,
      );
      doneOrMissing(answer);
    },
  };
}

function doneOrMissing(answer: unknown): 'done' | 'missing' {
  if (!(answer instanceof EcsRefusal)) return 'done';
  if (answer.kind === 'missing') return 'missing';
  throw refusalError(answer, 'UpdateFailed');
}
