/** What is read of a service, in the words of the ECS API: the SDK's types fit these. */

/** What ECS rolls out, and takes back, as a whole. */
export interface EcsRevision {
  /** ARN of the task definition's revision. */
  readonly taskDefinition?: string | undefined;
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?:
    | readonly {
        readonly capacityProvider: string | undefined;
        readonly weight?: number | undefined;
        readonly base?: number | undefined;
      }[]
    | undefined;
  readonly networkConfiguration?:
    | {
        readonly awsvpcConfiguration?:
          | {
              readonly subnets: readonly string[] | undefined;
              readonly securityGroups?: readonly string[] | undefined;
              readonly assignPublicIp?: string | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly platformVersion?: string | undefined;
  /** ECS shows these three of a deployment alone. */
  readonly serviceConnectConfiguration?: object | undefined;
  readonly volumeConfigurations?: readonly object[] | undefined;
  readonly vpcLatticeConfigurations?: readonly object[] | undefined;
}

export interface EcsService extends EcsRevision {
  readonly serviceArn?: string | undefined;
  readonly serviceName?: string | undefined;
  /** ACTIVE, DRAINING or INACTIVE. */
  readonly status?: string | undefined;
  readonly createdAt?: Date | undefined;
  readonly desiredCount?: number | undefined;
  readonly runningCount?: number | undefined;
  readonly pendingCount?: number | undefined;
  readonly deploymentConfiguration?:
    | {
        readonly deploymentCircuitBreaker?:
          { readonly enable: boolean | undefined; readonly rollback: boolean | undefined } | undefined;
        readonly maximumPercent?: number | undefined;
        readonly minimumHealthyPercent?: number | undefined;
        readonly alarms?: object | undefined;
        readonly strategy?: string | undefined;
        readonly bakeTimeInMinutes?: number | undefined;
        readonly canaryConfiguration?: object | undefined;
        readonly linearConfiguration?: object | undefined;
      }
    | undefined;
  readonly loadBalancers?: readonly object[] | undefined;
  readonly healthCheckGracePeriodSeconds?: number | undefined;
  readonly serviceRegistries?: readonly object[] | undefined;
  readonly enableExecuteCommand?: boolean | undefined;
  readonly schedulingStrategy?: string | undefined;
  readonly placementConstraints?: readonly object[] | undefined;
  readonly placementStrategy?: readonly object[] | undefined;
  readonly availabilityZoneRebalancing?: string | undefined;
  readonly propagateTags?: string | undefined;
  readonly enableECSManagedTags?: boolean | undefined;
  readonly deployments?: readonly EcsDeployment[] | undefined;
  /** Newest first. */
  readonly events?: readonly EcsEvent[] | undefined;
  readonly tags?: readonly EcsTag[] | undefined;
}

export interface EcsDeployment extends EcsRevision {
  readonly id?: string | undefined;
  /** PRIMARY: the newest one; ACTIVE: an older one that still runs tasks. */
  readonly status?: string | undefined;
  readonly runningCount?: number | undefined;
  readonly failedTasks?: number | undefined;
  /** IN_PROGRESS, COMPLETED or FAILED. */
  readonly rolloutState?: string | undefined;
  readonly rolloutStateReason?: string | undefined;
  readonly createdAt?: Date | undefined;
}

export interface EcsEvent {
  readonly message?: string | undefined;
  readonly createdAt?: Date | undefined;
}

export interface EcsTag {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
}

/** A service that is there, whether or not it is on its way out. INACTIVE ones are memories of ECS. */
export function isThere<S extends EcsService>(service: S | undefined): service is S {
  return service !== undefined && service.status !== 'INACTIVE';
}
