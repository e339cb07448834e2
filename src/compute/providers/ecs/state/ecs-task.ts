/** What is read of a task, in the words of the ECS API: the SDK's types fit these. */

export interface EcsTask {
  readonly taskDefinitionArn?: string | undefined;
  /** Of a task of a service, the id of its deployment: `ecs-svc/…`. */
  readonly startedBy?: string | undefined;
  readonly lastStatus?: string | undefined;
  readonly desiredStatus?: string | undefined;
  readonly healthStatus?: string | undefined;
  readonly createdAt?: Date | undefined;
  /** When it became RUNNING. */
  readonly startedAt?: Date | undefined;
  readonly stoppingAt?: Date | undefined;
  readonly stoppedAt?: Date | undefined;
  readonly stoppedReason?: string | undefined;
  readonly stopCode?: string | undefined;
  readonly containers?: readonly EcsTaskContainer[] | undefined;
  /** Its network interface among them. */
  readonly attachments?:
    | readonly {
        readonly type?: string | undefined;
        readonly details?:
          readonly { readonly name?: string | undefined; readonly value?: string | undefined }[] | undefined;
      }[]
    | undefined;
}

export interface EcsTaskContainer {
  readonly name?: string | undefined;
  readonly image?: string | undefined;
  readonly reason?: string | undefined;
  readonly exitCode?: number | undefined;
}
