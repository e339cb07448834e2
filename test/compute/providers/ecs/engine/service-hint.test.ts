import { describe, expect, test } from 'vitest';
import { serviceHint } from '../../../../../src/compute/providers/ecs/engine/service-hint.ts';

const cluster = 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord';
const service = 'arn:aws:ecs:us-west-2:123456789012:service/landlord/t-acme';
const acme = { cluster, service: 't-acme' };

describe('an ECS event', () => {
  test.each([
    ['a task', { detail: { clusterArn: cluster, group: 'service:t-acme', stoppedReason: 'x' } }, acme],
    ['a service action', { resources: [service], detail: { clusterArn: cluster, eventName: 'x' } }, acme],
    ['a deployment', { resources: [service], detail: { eventName: 'SERVICE_DEPLOYMENT_FAILED' } }, acme],
    ['a task of no service', { detail: { clusterArn: cluster, group: 'family:app' } }, undefined],
    ['a container instance', { resources: [`${cluster}/abc`], detail: { clusterArn: cluster } }, undefined],
    ['another source', { source: 'aws.s3', resources: [service] }, undefined],
    ['no detail that is an object', { detail: 'x', resources: [service] }, undefined],
  ])('of %s names its service, or says nothing', (_what, event, hint) => {
    expect(serviceHint(JSON.stringify({ source: 'aws.ecs', ...event }))).toEqual(hint);
  });

  test.each(['', 'null', '[]', '{', '"text"', '{"source":"aws.ecs","resources":[7]}'])(
    'that is %j says nothing',
    (text) => {
      expect(serviceHint(text)).toBeUndefined();
    },
  );
});
