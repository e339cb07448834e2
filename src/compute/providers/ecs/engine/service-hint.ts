import { z } from 'zod';
import type { ServiceHint } from './ecs-api.ts';

/** What EventBridge puts into the queue, as far as it is read here. */
const event = z.object({
  source: z.literal('aws.ecs'),
  resources: z.array(z.string()).default([]),
  detail: z.object({ clusterArn: z.string().optional(), group: z.string().optional() }).default({}),
});

/**
 * The service that an ECS event is about, from each of the three kinds that are of use:
 * `ECS Task State Change` names its service in `group` (service:NAME), `ECS Service Action` and `ECS Deployment State
 * Change` in `resources` (arn:…:service/CLUSTER/NAME). Undefined for everything else, malformed text included. Pure.
 */
export function serviceHint(message: string): ServiceHint | undefined {
  const parsed = event.safeParse(parseJson(message));
  if (!parsed.success) return undefined;
  const { detail, resources } = parsed.data;
  const ofTask = /^service:(.+)$/.exec(detail.group ?? '')?.[1];
  if (ofTask !== undefined && detail.clusterArn !== undefined) {
    return { cluster: detail.clusterArn, service: ofTask };
  }
  for (const arn of resources) {
    const [, start, cluster, service] = /^(arn:[^/]+):service\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
    if (service !== undefined) return { cluster: `${start}:cluster/${cluster}`, service };
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
