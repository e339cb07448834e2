import type { ServiceTarget } from './service-target.ts';

/** By which Application Auto Scaling knows the count of a service: it needs nothing to be remembered. */
export function scalingResource({ cluster, service }: Pick<ServiceTarget, 'cluster' | 'service'>) {
  return {
    ServiceNamespace: 'ecs',
    ResourceId: `service/${cluster.slice(cluster.indexOf('/') + 1)}/${service}`,
    ScalableDimension: 'ecs:service:DesiredCount',
  } as const;
}
