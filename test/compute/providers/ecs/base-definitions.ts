import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { baseArn } from './memory-ecs.ts';

/** Task definitions to overlay, of both kinds of hosts. */

export const onInstances: TaskDefinition = {
  taskDefinitionArn: baseArn,
  networkMode: 'bridge',
  containerDefinitions: [
    { name: 'app', image: 'app:0', linuxParameters: { capabilities: { drop: ['NET_RAW'] } } },
  ],
};
export const onFargate: TaskDefinition = {
  ...onInstances,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
};
