/**
 * What is read of a task definition and written into the next one, in the words of the ECS API: the SDK's types fit
 * these, and these fit the SDK's, which is why their lists are not readonly.
 */

export interface TaskDefinition {
  readonly taskDefinitionArn?: string | undefined;
  readonly taskRoleArn?: string | undefined;
  readonly executionRoleArn?: string | undefined;
  readonly networkMode?: string | undefined;
  readonly requiresCompatibilities?: readonly string[] | undefined;
  /** In units of 1/1024 core. */
  readonly cpu?: string | undefined;
  /** In MiB. */
  readonly memory?: string | undefined;
  readonly pidMode?: string | undefined;
  readonly ipcMode?: string | undefined;
  readonly volumes?: readonly Volume[] | undefined;
  readonly runtimePlatform?: RuntimePlatform | undefined;
  readonly containerDefinitions?: readonly ContainerDefinition[] | undefined;
}

export interface RuntimePlatform {
  readonly cpuArchitecture?: 'ARM64' | 'X86_64' | undefined;
  readonly operatingSystemFamily?: string | undefined;
}

export interface ContainerDefinition {
  readonly name?: string | undefined;
  readonly image?: string | undefined;
  readonly repositoryCredentials?: { readonly credentialsParameter: string | undefined } | undefined;
  readonly essential?: boolean | undefined;
  readonly dependsOn?: ContainerDependency[] | undefined;
  readonly restartPolicy?: ContainerRestartPolicy | undefined;
  readonly entryPoint?: string[] | undefined;
  readonly command?: string[] | undefined;
  readonly environment?: EnvironmentVariable[] | undefined;
  readonly secrets?: SecretReference[] | undefined;
  readonly portMappings?: PortMapping[] | undefined;
  readonly healthCheck?: HealthCheckDefinition | undefined;
  /** In units of 1/1024 core. */
  readonly cpu?: number | undefined;
  /** Hard limit in MiB. */
  readonly memory?: number | undefined;
  /** Soft limit in MiB. */
  readonly memoryReservation?: number | undefined;
  readonly privileged?: boolean | undefined;
  readonly workingDirectory?: string | undefined;
  readonly user?: string | undefined;
  /** In seconds. */
  readonly stopTimeout?: number | undefined;
  readonly hostname?: string | undefined;
  readonly readonlyRootFilesystem?: boolean | undefined;
  readonly pseudoTerminal?: boolean | undefined;
  readonly interactive?: boolean | undefined;
  readonly ulimits?: Ulimit[] | undefined;
  readonly extraHosts?: { hostname: string | undefined; ipAddress: string | undefined }[] | undefined;
  readonly dnsServers?: string[] | undefined;
  readonly linuxParameters?:
    | {
        readonly capabilities?: { add?: string[] | undefined; drop?: string[] | undefined } | undefined;
        readonly devices?: { hostPath: string | undefined }[] | undefined;
        readonly initProcessEnabled?: boolean | undefined;
        /** In MiB. */
        readonly sharedMemorySize?: number | undefined;
        readonly tmpfs?: Tmpfs[] | undefined;
      }
    | undefined;
  readonly systemControls?: SystemControl[] | undefined;
  readonly dockerSecurityOptions?: string[] | undefined;
  readonly logConfiguration?: LogConfiguration | undefined;
  readonly mountPoints?: MountPoint[] | undefined;
  readonly volumesFrom?: { sourceContainer?: string | undefined }[] | undefined;
}

export interface SystemControl {
  /** Name of the setting. */
  readonly namespace?: string | undefined;
  readonly value?: string | undefined;
}

export interface ContainerDependency {
  readonly containerName: string | undefined;
  readonly condition: 'START' | 'HEALTHY' | 'SUCCESS' | 'COMPLETE' | undefined;
}

export interface ContainerRestartPolicy {
  readonly enabled: boolean | undefined;
  readonly ignoredExitCodes?: number[] | undefined;
  /** In seconds. */
  readonly restartAttemptPeriod?: number | undefined;
}

export interface Tmpfs {
  readonly containerPath: string | undefined;
  /** In MiB. */
  readonly size: number | undefined;
  readonly mountOptions?: string[] | undefined;
}

export interface LogConfiguration {
  readonly logDriver: LogDriver | undefined;
  readonly options?: Record<string, string> | undefined;
  readonly secretOptions?: SecretReference[] | undefined;
}

export type LogDriver =
  ('awsfirelens' | 'awslogs' | 'fluentd' | 'gelf') | ('journald' | 'json-file' | 'splunk' | 'syslog');

export interface Ulimit {
  readonly name: UlimitName | undefined;
  readonly softLimit: number | undefined;
  readonly hardLimit: number | undefined;
}

export type UlimitName =
  | ('core' | 'cpu' | 'data' | 'fsize' | 'locks' | 'memlock' | 'msgqueue' | 'nice' | 'nofile' | 'nproc')
  | ('rss' | 'rtprio' | 'rttime' | 'sigpending' | 'stack');

export interface Volume {
  readonly name?: string | undefined;
  readonly host?: { readonly sourcePath?: string | undefined } | undefined;
  readonly dockerVolumeConfiguration?:
    { readonly driverOpts?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly efsVolumeConfiguration?: EfsConfiguration | undefined;
}

export interface MountPoint {
  readonly sourceVolume?: string | undefined;
  readonly containerPath?: string | undefined;
  readonly readOnly?: boolean | undefined;
}

export interface EfsConfiguration {
  readonly fileSystemId: string | undefined;
  readonly rootDirectory?: string | undefined;
  readonly transitEncryption?: 'ENABLED' | 'DISABLED' | undefined;
  readonly authorizationConfig?:
    | { readonly accessPointId?: string | undefined; readonly iam?: 'ENABLED' | 'DISABLED' | undefined }
    | undefined;
}

export interface EnvironmentVariable {
  readonly name?: string | undefined;
  readonly value?: string | undefined;
}

export interface SecretReference {
  readonly name: string | undefined;
  /** ARN of a Secrets Manager secret or SSM parameter. */
  readonly valueFrom: string | undefined;
}

export interface PortMapping {
  readonly name?: string | undefined;
  readonly containerPort?: number | undefined;
  readonly hostPort?: number | undefined;
  readonly protocol?: 'tcp' | 'udp' | undefined;
}

/** Times in seconds. */
export interface HealthCheckDefinition {
  readonly command: string[] | undefined;
  readonly interval?: number | undefined;
  readonly timeout?: number | undefined;
  readonly retries?: number | undefined;
  readonly startPeriod?: number | undefined;
}
