/** What is read of a service, in the words of the ECS API: the SDK's types fit these. */

/** What ECS rolls out, and takes back, as a whole. */
export interface EcsRevision {
  /** ARN of the task definition's revision. */
  readonly taskDefinition?: string | undefined;
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?:
    readonly { readonly capacityProvider: string | undefined }[] | undefined;
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
      }
    | undefined;
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
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?: EcsService['capacityProviderStrategy'];
  readonly networkConfiguration?: EcsService['networkConfiguration'];
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
