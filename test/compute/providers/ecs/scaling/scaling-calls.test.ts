import { describe, expect, test } from 'vitest';
import { scalingCalls } from '../../../../../src/compute/providers/ecs/engine/scaling/scaling-calls.ts';
import { policyInput } from '../../../../../src/compute/providers/ecs/state/scaling/scaling.ts';
import { seenScaling } from '../../../../../src/compute/providers/ecs/state/scaling/seen-scaling.ts';
import { anyConsent } from '../../../permits.ts';
import { never } from '../client-fixture.ts';
import { clusterArn } from '../memory-ecs.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';

const scope = { region: 'us-west-2' };
const target = { scope, cluster: clusterArn, service: 'a' };
const dimension = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' };
const resource = { ...dimension, ResourceId: 'service/landlord/a' };
const policy = {
  name: 'landlord-requests',
  metric: 'ALBRequestCountPerTarget',
  target: 9,
  label: 'app/b/1',
} as const;
type Calls = ReturnType<typeof scalingCalls>;

const register = (calls: Calls) =>
  calls.registerScalableTarget(target, { min: 1, max: 2 }, anyConsent, never);
const put = (calls: Calls) => calls.putScalingPolicy(target, policyInput(policy), anyConsent, never);
const remove = (calls: Calls) => calls.deleteScalingPolicy(target, 'landlord-cpu', anyConsent, never);
const deregister = (calls: Calls) => calls.deregisterScalableTarget(target, anyConsent, never);
const look = async (calls: Calls) => seenScaling(await calls.describeScaling(target, 'sweep', never));

test.each<[action: string, call: (calls: Calls) => unknown, input: object]>([
  ['RegisterScalableTarget', register, { ...resource, MinCapacity: 1, MaxCapacity: 2 }],
  [
    'PutScalingPolicy',
    put,
    {
      ...resource,
      PolicyName: 'landlord-requests',
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 9,
        PredefinedMetricSpecification: {
          PredefinedMetricType: 'ALBRequestCountPerTarget',
          ResourceLabel: 'app/b/1',
        },
      },
    },
  ],
  ['DeleteScalingPolicy', remove, { ...resource, PolicyName: 'landlord-cpu' }],
  ['DeregisterScalableTarget', deregister, resource],
])('%s is asked for in these words, at a rate of its own', async (action, call, input) => {
  const connection = scriptedConnection([{}]);
  await call(scalingCalls(connection));
  expect(connection.asked).toEqual([
    {
      scope,
      action: `application-autoscaling:${action}`,
      family: 'scaling',
      priority: 'user',
      isRepeatable: true,
      input,
    },
  ]);
});

describe('a look', () => {
  test('tells the bounds, our policies, and the names of others, over all pages', async () => {
    const tracking = {
      TargetValue: 60,
      PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
    };
    const ours = { PolicyName: 'landlord-cpu', TargetTrackingScalingPolicyConfiguration: tracking };
    const connection = scriptedConnection([
      { ScalableTargets: [{ MinCapacity: 2, MaxCapacity: 4 }] },
      { ScalingPolicies: [ours], NextToken: 'more' },
      { ScalingPolicies: [{ PolicyName: 'nightly' }, { PolicyName: 'landlord-odd' }] },
    ]);
    expect(await look(scalingCalls(connection))).toEqual({
      min: 2,
      max: 4,
      policies: [
        { name: 'landlord-cpu', metric: 'ECSServiceAverageCPUUtilization', target: 60 },
        { name: 'landlord-odd', metric: 'other', target: 0 },
      ],
      foreign: ['nightly'],
    });
    expect(connection.asked.map(({ priority, input }) => [priority, input])).toEqual([
      ['sweep', { ...dimension, ResourceIds: ['service/landlord/a'] }],
      ['sweep', resource],
      ['sweep', { ...resource, NextToken: 'more' }],
    ]);
  });

  test('at a policy that never scales in is not one at what was asked for', async () => {
    const TargetTrackingScalingPolicyConfiguration = {
      TargetValue: 60,
      DisableScaleIn: true,
      PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
    };
    const policies = [{ PolicyName: 'landlord-cpu', TargetTrackingScalingPolicyConfiguration }];
    const answers = [{ ScalableTargets: [{}] }, { ScalingPolicies: policies }];
    expect(await look(scalingCalls(scriptedConnection(answers)))).toMatchObject({
      policies: [{ metric: 'ECSServiceAverageCPUUtilization, out alone' }],
    });
  });

  test('costs one call where there is nothing', async () => {
    const connection = scriptedConnection([{ ScalableTargets: [] }]);
    expect(await look(scalingCalls(connection))).toBe('none');
    expect(connection.asked).toHaveLength(1);
  });
});

describe('what Application Auto Scaling refuses', () => {
  const noService = "ECS service doesn't exist: service/landlord/a";
  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, text: string, end: unknown]>([
    [register, 'ValidationException', noService, 'missing'],
    [put, 'ObjectNotFoundException', 'No scalable target registered', 'missing'],
    [remove, 'ObjectNotFoundException', 'No scaling policy found', undefined],
    [deregister, 'ObjectNotFoundException', 'No scalable target registered', undefined],
  ])('is a value where it can be worked with: %o, %s', async (call, name, text, end) => {
    expect(await call(scalingCalls(scriptedConnection([refusal(name, text)])))).toBe(end);
  });

  test.each<[call: (calls: Calls) => Promise<unknown>, name: string, code: string]>([
    [register, 'ValidationException', 'InvalidSpec'],
    [put, 'LimitExceededException', 'UpdateFailed'],
    [put, 'ConcurrentUpdateException', 'UpdateFailed'],
    [deregister, 'FailedResourceAccessException', 'UpdateFailed'],
    [look, 'InternalServiceException', 'ProviderUnavailable'],
  ])('is an error otherwise: %o, %s', async (call, name, code) => {
    await expect(call(scalingCalls(scriptedConnection([refusal(name, 'no')])))).rejects.toMatchObject({
      code,
    });
  });
});
