import { guardedKeys } from '../../../../src/compute/providers/ecs/config/service-policy.ts';

/** Every key that says how a service is run and reached: what a config may say, another value of it, and ECS' words. */

const elb = 'arn:aws:elasticloadbalancing:us-west-2:123456789012';
export const targetGroup = (name: string) => `${elb}:targetgroup/${name}/0123456789abcdef`;
export const listenerRule = `${elb}:listener-rule/app/web/0123456789abcdef/0123456789abcdef/0123456789abcdef`;
export const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
export const registry = (id: string) => `arn:aws:servicediscovery:us-west-2:123456789012:service/${id}`;
export const lattice = (id: string) => `arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/${id}`;

export interface KeyCase {
  /** Value of the key in a config. */
  readonly config: unknown;
  /** What ECS is asked for. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** Another value, and what ECS is asked for then. */
  readonly other: { readonly config: unknown; readonly asked: Readonly<Record<string, unknown>> };
  /** What ECS is asked for once the key is left out; undefined: nothing, the service keeps what it has. */
  readonly without?: Readonly<Record<string, unknown>>;
  /** What a change does to what runs. */
  readonly effect: 'live' | 'replace';
}

const usual = {
  deploymentCircuitBreaker: { enable: true, rollback: true },
  maximumPercent: 200,
  minimumHealthyPercent: 100,
};

export const keyCases: Readonly<Record<string, KeyCase>> = {
  load_balancers: {
    config: [{ target_group_arn: targetGroup('a'), container_name: 'app', container_port: 80 }],
    asked: {
      loadBalancers: [{ targetGroupArn: targetGroup('a'), containerName: 'app', containerPort: 80 }],
    },
    other: {
      config: [
        {
          target_group_arn: targetGroup('a'),
          container_name: 'app',
          container_port: 8080,
          advanced_configuration: {
            alternate_target_group_arn: targetGroup('b'),
            production_listener_rule: listenerRule,
            role_arn: role('ecs-elb'),
          },
        },
      ],
      asked: {
        loadBalancers: [
          {
            targetGroupArn: targetGroup('a'),
            containerName: 'app',
            containerPort: 8080,
            advancedConfiguration: {
              alternateTargetGroupArn: targetGroup('b'),
              productionListenerRule: listenerRule,
              roleArn: role('ecs-elb'),
            },
          },
        ],
      },
    },
    without: { loadBalancers: [] },
    effect: 'replace',
  },
  health_check_grace_period_seconds: {
    config: 60,
    asked: { healthCheckGracePeriodSeconds: 60 },
    other: { config: 90, asked: { healthCheckGracePeriodSeconds: 90 } },
    without: { healthCheckGracePeriodSeconds: 0 },
    effect: 'live',
  },
  capacity_provider_strategy: {
    config: [
      { capacity_provider: 'FARGATE_SPOT', weight: 3 },
      { capacity_provider: 'FARGATE', weight: 1, base: 1 },
    ],
    asked: {
      capacityProviderStrategy: [
        { capacityProvider: 'FARGATE', weight: 1, base: 1 },
        { capacityProvider: 'FARGATE_SPOT', weight: 3, base: 0 },
      ],
    },
    other: {
      config: [{ capacity_provider: 'FARGATE', weight: 1 }],
      asked: {
        capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1, base: 0 }],
        forceNewDeployment: true,
      },
    },
    effect: 'replace',
  },
  service_registries: {
    config: [{ registry_arn: registry('srv-1') }],
    asked: { serviceRegistries: [{ registryArn: registry('srv-1') }] },
    other: {
      config: [{ registry_arn: registry('srv-2'), container_name: 'app', container_port: 80 }],
      asked: {
        serviceRegistries: [{ registryArn: registry('srv-2'), containerName: 'app', containerPort: 80 }],
      },
    },
    without: { serviceRegistries: [] },
    effect: 'replace',
  },
  enable_execute_command: {
    config: true,
    asked: { enableExecuteCommand: true },
    other: { config: false, asked: { enableExecuteCommand: false } },
    without: { enableExecuteCommand: false },
    effect: 'live',
  },
  placement_constraints: {
    config: [{ type: 'memberOf', expression: 'attribute:ecs.instance-type =~ m7.*' }],
    asked: {
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.instance-type =~ m7.*' }],
    },
    other: {
      config: [{ type: 'distinctInstance' }],
      asked: { placementConstraints: [{ type: 'distinctInstance' }] },
    },
    without: { placementConstraints: [] },
    effect: 'live',
  },
  placement_strategy: {
    config: [
      { type: 'spread', field: 'attribute:ecs.availability-zone' },
      { type: 'binpack', field: 'memory' },
    ],
    asked: {
      placementStrategy: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'binpack', field: 'memory' },
      ],
    },
    other: {
      config: [
        { type: 'binpack', field: 'memory' },
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
      ],
      asked: {
        placementStrategy: [
          { type: 'binpack', field: 'memory' },
          { type: 'spread', field: 'attribute:ecs.availability-zone' },
        ],
      },
    },
    without: { placementStrategy: [] },
    effect: 'live',
  },
  availability_zone_rebalancing: {
    config: 'ENABLED',
    asked: { availabilityZoneRebalancing: 'ENABLED' },
    other: { config: 'DISABLED', asked: { availabilityZoneRebalancing: 'DISABLED' } },
    effect: 'live',
  },
  service_connect_configuration: {
    config: {
      enabled: true,
      namespace: 'shop',
      services: [
        {
          port_name: 'http',
          discovery_name: 'cart',
          client_aliases: [{ port: 80, dns_name: 'cart' }],
          timeout: { per_request_timeout_seconds: 30 },
        },
      ],
    },
    asked: {
      serviceConnectConfiguration: {
        enabled: true,
        namespace: 'shop',
        services: [
          {
            portName: 'http',
            discoveryName: 'cart',
            clientAliases: [{ port: 80, dnsName: 'cart' }],
            timeout: { perRequestTimeoutSeconds: 30 },
          },
        ],
      },
    },
    other: {
      config: { enabled: true, namespace: 'shop' },
      asked: { serviceConnectConfiguration: { enabled: true, namespace: 'shop' } },
    },
    without: { serviceConnectConfiguration: { enabled: false } },
    effect: 'replace',
  },
  vpc_lattice_configurations: {
    config: [{ role_arn: role('lattice'), target_group_arn: lattice('tg-1'), port_name: 'http' }],
    asked: {
      vpcLatticeConfigurations: [
        { roleArn: role('lattice'), targetGroupArn: lattice('tg-1'), portName: 'http' },
      ],
    },
    other: {
      config: [{ role_arn: role('lattice'), target_group_arn: lattice('tg-2'), port_name: 'http' }],
      asked: {
        vpcLatticeConfigurations: [
          { roleArn: role('lattice'), targetGroupArn: lattice('tg-2'), portName: 'http' },
        ],
      },
    },
    without: { vpcLatticeConfigurations: [] },
    effect: 'replace',
  },
  volume_configurations: {
    config: [
      {
        name: 'data',
        managed_ebs_volume: {
          role_arn: role('ebs'),
          size_in_gb: 20,
          volume_type: 'gp3',
          file_system_type: 'ext4',
          encrypted: true,
          kms_key_id: 'key-1',
        },
      },
    ],
    asked: {
      volumeConfigurations: [
        {
          name: 'data',
          managedEBSVolume: {
            roleArn: role('ebs'),
            sizeInGiB: 20,
            volumeType: 'gp3',
            filesystemType: 'ext4',
            encrypted: true,
            kmsKeyId: 'key-1',
          },
        },
      ],
    },
    other: {
      config: [{ name: 'data', managed_ebs_volume: { role_arn: role('ebs'), snapshot_id: 'snap-1' } }],
      asked: {
        volumeConfigurations: [
          { name: 'data', managedEBSVolume: { roleArn: role('ebs'), snapshotId: 'snap-1' } },
        ],
      },
    },
    without: { volumeConfigurations: [] },
    effect: 'replace',
  },
  platform_version: {
    config: '1.3.0',
    asked: { platformVersion: '1.3.0' },
    other: { config: 'LATEST', asked: { platformVersion: 'LATEST' } },
    without: { platformVersion: 'LATEST' },
    effect: 'replace',
  },
  propagate_tags: {
    config: 'TASK_DEFINITION',
    asked: { propagateTags: 'TASK_DEFINITION' },
    other: { config: 'NONE', asked: { propagateTags: 'NONE' } },
    without: { propagateTags: 'SERVICE' },
    effect: 'live',
  },
  enable_ecs_managed_tags: {
    config: true,
    asked: { enableECSManagedTags: true },
    other: { config: false, asked: { enableECSManagedTags: false } },
    without: { enableECSManagedTags: false },
    effect: 'live',
  },
  deployment: {
    config: {
      minimum_healthy_percent: 50,
      maximum_percent: 150,
      circuit_breaker: { rollback: false },
      alarms: { alarm_names: ['errors'] },
    },
    asked: {
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: false },
        maximumPercent: 150,
        minimumHealthyPercent: 50,
        alarms: { alarmNames: ['errors'], enable: true, rollback: true },
      },
    },
    other: {
      config: { strategy: 'BLUE_GREEN', bake_time_in_minutes: 5 },
      asked: {
        deploymentConfiguration: {
          ...usual,
          strategy: 'BLUE_GREEN',
          bakeTimeInMinutes: 5,
          alarms: { alarmNames: [], enable: false, rollback: false },
        },
      },
    },
    without: {
      deploymentConfiguration: { ...usual, alarms: { alarmNames: [], enable: false, rollback: false } },
    },
    effect: 'live',
  },
};

/** policy.ecs under which a tenant may say all of it. */
export const openServicePolicy = {
  allowed_keys: [...guardedKeys],
  allowed_target_groups: ['*'],
  allowed_listener_rules: ['*'],
  allowed_service_registries: ['*'],
  allowed_service_connect_namespaces: ['*'],
  allowed_capacity_providers: ['*'],
  allowed_alarms: ['*'],
  allowed_infrastructure_roles: ['*'],
  allowed_snapshots: ['*'],
  allowed_kms_keys: ['*'],
};
