/** How fast this operator calls ECS: a part of what an account may do in a region. */

export interface RateLimit {
  /** Calls that may be made at once after a quiet time. */
  readonly burst: number;
  /** Calls per second in the long run. */
  readonly perSecond: number;
}

/** Operations that ECS counts together. */
export type OperationFamily =
  | 'serviceWrites'
  | 'serviceReads'
  | 'taskDefinitionWrites'
  | 'taskDefinitionReads'
  | 'taskReads'
  | 'taskWrites'
  | 'tagging'
  | 'scaling'
  | 'secretReads'
  | 'parameterReads'
  | 'balancing';

/** The rest of an account's allowance is left to its people, its pipelines and its autoscaling. */
const ourShare = 0.7;

/**
 * The documented limits per account and region, times 0.7:
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
 */
export const ecsRateLimits: Readonly<Record<OperationFamily, RateLimit>> = {
  // CreateService, UpdateService, DeleteService: 50 and 5/s, so 35 and 3.5/s.
  serviceWrites: { burst: 50 * ourShare, perSecond: 5 * ourShare },
  // DescribeServices, ListServices: 100 and 20/s, so 70 and 14/s.
  serviceReads: { burst: 100 * ourShare, perSecond: 20 * ourShare },
  // RegisterTaskDefinition, DeregisterTaskDefinition: 20 and 1/s, so 14 and 0.7/s.
  taskDefinitionWrites: { burst: 20 * ourShare, perSecond: 1 * ourShare },
  // DescribeTaskDefinition, ListTaskDefinitions: 50 and 20/s, so 35 and 14/s.
  taskDefinitionReads: { burst: 50 * ourShare, perSecond: 20 * ourShare },
  // DescribeTasks, ListTasks: 100 and 20/s, so 70 and 14/s.
  taskReads: { burst: 100 * ourShare, perSecond: 20 * ourShare },
  // RunTask, StopTask: no figure of their own is documented; as many as services are written.
  taskWrites: { burst: 50 * ourShare, perSecond: 5 * ourShare },
  // TagResource, UntagResource: 20 and 10/s, so 14 and 7/s.
  tagging: { burst: 20 * ourShare, perSecond: 10 * ourShare },
  // All of Application Auto Scaling, for which AWS names no limits: as few as the writes of services.
  scaling: { burst: 50 * ourShare, perSecond: 5 * ourShare },
  // DescribeSecret of Secrets Manager: 10,000/s with GetSecretValue, which tasks need as they start. As the reads of services.
  secretReads: { burst: 100 * ourShare, perSecond: 20 * ourShare },
  // DescribeParameters of SSM, for which AWS names no limit of its own: as few as the writes of services.
  parameterReads: { burst: 50 * ourShare, perSecond: 5 * ourShare },
  // All of Elastic Load Balancing, for which AWS names no limits either, and which people watch, too.
  balancing: { burst: 50 * ourShare, perSecond: 5 * ourShare },
};

/** The part of them that falls to one of several operators in the account and region. Each may make at least one call at once. */
export function limitsFor(share: number): Readonly<Record<OperationFamily, RateLimit>> {
  const part = ({ burst, perSecond }: RateLimit): RateLimit => ({
    burst: Math.max(1, burst * share),
    perSecond: perSecond * share,
  });
  return {
    serviceWrites: part(ecsRateLimits.serviceWrites),
    serviceReads: part(ecsRateLimits.serviceReads),
    taskDefinitionWrites: part(ecsRateLimits.taskDefinitionWrites),
    taskDefinitionReads: part(ecsRateLimits.taskDefinitionReads),
    taskReads: part(ecsRateLimits.taskReads),
    taskWrites: part(ecsRateLimits.taskWrites),
    tagging: part(ecsRateLimits.tagging),
    scaling: part(ecsRateLimits.scaling),
    secretReads: part(ecsRateLimits.secretReads),
    parameterReads: part(ecsRateLimits.parameterReads),
    balancing: part(ecsRateLimits.balancing),
  };
}
