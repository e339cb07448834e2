import { z } from 'zod';

/** What tenants may say of how their services are run and reached, besides what the operator's own block says. */

const list = (what: string) =>
  z
    .array(z.string().min(1))
    .default([])
    .describe(
      `${what} that tenants may name besides the operator's own; \`*\` at the end stands for any characters.`,
    );

/** Keys that reach beyond the service: into its instances, its tasks, or the bill. */
export const guardedKeys = [
  'enable_execute_command',
  'enable_ecs_managed_tags',
  'propagate_tags',
  'placement_constraints',
  'scheduling_strategy',
  'volume_configurations',
] as const;

export const servicePolicyShape = {
  foreign_services: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Values of service_name, of services that were not made by Landlord, that tenants may observe and, with policy.allow_adopt, ' +
        'take over; `*` at the end stands for any characters. Never a name with the id of another tenant behind a prefix.',
    ),
  allowed_keys: z
    .array(z.enum(guardedKeys))
    .default([])
    .describe(
      "Keys of compute.ecs that tenants may set otherwise than the operator's block, or ECS by itself: each of these reaches " +
        'beyond the service. With scheduling_strategy nothing bounds how many tasks there are.',
    ),
  allowed_target_groups: list('ARNs of target groups, of load balancers and of VPC Lattice,'),
  allowed_listener_rules: list('ARNs of listeners and their rules'),
  allowed_listeners: list('ARNs of listeners, in load_balancers[].listener_rule,'),
  allowed_host_headers: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Host names, in load_balancers[].listener_rule, that tenants may name besides the operator's own; `*` stands for any " +
        'characters: `*.team-a.example`. A rule without a host name asks for `*`.',
    ),
  allowed_service_registries: list('ARNs of Cloud Map services'),
  allowed_service_connect_namespaces: list('Namespaces of Service Connect'),
  allowed_capacity_providers: list(
    'Capacity providers, and, where the launch type FARGATE is allowed, FARGATE and FARGATE_SPOT,',
  ),
  allowed_alarms: list('Names of CloudWatch alarms'),
  allowed_infrastructure_roles: list(
    'ARNs of roles that ECS itself takes on for a service (listeners, VPC Lattice, volumes)',
  ),
  allowed_task_roles: list('ARNs of roles, in task_role_arn,'),
  allowed_execution_roles: list('ARNs of roles, in execution_role_arn,'),
  allowed_snapshots: list('EBS snapshots'),
  allowed_kms_keys: list('KMS keys of volumes'),
  max_deployment_percent: z
    .int()
    .min(100)
    .default(200)
    .describe("The most that tenants may say in deployment.maximum_percent; the operator's own may be more."),
};
