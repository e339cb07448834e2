import { z } from 'zod';
import { withRules } from '../../../../api/rules.ts';
import { deploymentShape } from './deployment-shape.ts';
import { listenerRuleShape, targetGroupShape } from './listener-rule-shape.ts';
import { serviceConnectShape } from './service-connect-shape.ts';
import {
  arnLength,
  latticeTargetGroupArn,
  listenerArn,
  registryArn,
  roleArn,
  targetGroupArn,
} from './resource-arns.ts';

/** Keys that say how a service is run and reached, named as aws_ecs_service of Terraform, or ECS itself, has them. */

const portNumber = z.int().min(1).max(65_535);
const containerName = z.string().min(1).max(255);
const portName = z.string().min(1).max(64);
const longestGrace = 2_147_483_647;

const loadBalancer = withRules(
  z.strictObject({
    target_group_arn: targetGroupArn
      .optional()
      .describe('ARN of the target group that the tasks register with.'),
    listener_rule: listenerRuleShape,
    target_group: targetGroupShape,
    container_name: containerName.describe('Container that is reached.'),
    container_port: portNumber.describe('Port of that container.'),
    advanced_configuration: z
      .strictObject({
        alternate_target_group_arn: targetGroupArn.describe('ARN of the target group of the other colour.'),
        production_listener_rule: listenerArn.describe('ARN of the rule, or listener, of all traffic.'),
        test_listener_rule: listenerArn.optional().describe('ARN of the rule, or listener, of test traffic.'),
        role_arn: roleArn.describe('ARN of the role by which ECS shifts the traffic.'),
      })
      .optional()
      .describe('How traffic is shifted where deployment.strategy is not ROLLING.'),
  }),
  [
    {
      rule: 'has(self.target_group_arn) != has(self.listener_rule)',
      message: 'needs either target_group_arn or listener_rule, and not both',
      holds: ({ target_group_arn: arn, listener_rule: rule }) => (arn === undefined) !== (rule === undefined),
    },
    {
      rule: '!has(self.target_group) || has(self.listener_rule)',
      message: 'is that of a listener_rule: name one',
      fieldPath: '.target_group',
      holds: ({ target_group: group, listener_rule: rule }) => group === undefined || rule !== undefined,
    },
    {
      rule: '!has(self.advanced_configuration) || !has(self.listener_rule)',
      message: 'shifts traffic between target groups that are there: name both by their ARNs',
      fieldPath: '.advanced_configuration',
      holds: ({ advanced_configuration: advanced, listener_rule: rule }) =>
        advanced === undefined || rule === undefined,
    },
  ],
);

const capacityProvider = z.strictObject({
  capacity_provider: z.string().min(1).max(255).describe('Name of the capacity provider.'),
  weight: z
    .int()
    .min(0)
    .max(1_000)
    .optional()
    .describe('Its part of the tasks beyond each base. Default: 0.'),
  base: z.int().min(0).max(100_000).optional().describe('Tasks that it gets first. Default: 0.'),
});

const volumeConfiguration = z.strictObject({
  name: z.string().min(1).max(255).describe('Name of a volume of the task definition, configured at launch.'),
  managed_ebs_volume: z
    .strictObject({
      role_arn: roleArn.describe('ARN of the role by which ECS makes the volumes.'),
      encrypted: z.boolean().optional().describe('Whether it is encrypted.'),
      kms_key_id: z
        .string()
        .min(1)
        .max(arnLength)
        .optional()
        .describe('Key, alias or ARN to encrypt it with.'),
      volume_type: z
        .enum(['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard'])
        .optional()
        .describe('Type of the volume.'),
      size_in_gb: z.int().min(1).max(16_384).optional().describe('Size of each volume in GiB.'),
      snapshot_id: z
        .string()
        .max(64)
        .regex(/^snap-[a-z0-9]+$/, 'must be a snapshot id such as snap-123')
        .optional()
        .describe('Snapshot that it is made from.'),
      iops: z.int().min(100).max(256_000).optional().describe('Operations a second.'),
      throughput: z.int().min(125).max(2_000).optional().describe('In MiB a second.'),
      file_system_type: z
        .enum(['ext3', 'ext4', 'xfs', 'ntfs'])
        .optional()
        .describe('File system of it. Default: xfs.'),
    })
    .describe('The EBS volume that each task gets, and that goes with it.'),
});

export const serviceShape = {
  load_balancers: z
    .array(loadBalancer)
    .max(5)
    .optional()
    .describe('Target groups that the tasks register with. Changed by a rollout.'),
  health_check_grace_period_seconds: z
    .int()
    .min(0)
    .max(longestGrace)
    .optional()
    .describe('How long after its start a task may fail its health checks. Default: 0.'),
  capacity_provider_strategy: z
    .array(capacityProvider)
    .max(20)
    .optional()
    .describe(
      "Capacity providers that tasks are spread over, in place of launch_type: the tenant's goes before the operator's " +
        'launch_type, and the reverse. Changed by a rollout. Left out later on, the service keeps what it has.',
    ),
  deployment: deploymentShape,
  progress_deadline_seconds: z
    .int()
    .min(1)
    .max(longestGrace)
    .optional()
    .describe(
      'How long a rollout may take until the Tenant is UpdateFailed, or ProvisionFailed where it is the first, with what ECS ' +
        'said last. Nothing is stopped for it. Bake times of deployment and health_check_grace_period_seconds come on top. ' +
        'Default: 600, as a Deployment of Kubernetes has it.',
    ),
  service_registries: z
    .array(
      z.strictObject({
        registry_arn: registryArn.describe('ARN of the Cloud Map service.'),
        port: portNumber.optional().describe('Port of an SRV record.'),
        container_name: containerName.optional().describe('Container that is registered.'),
        container_port: portNumber.optional().describe('Port of that container.'),
      }),
    )
    .max(1)
    .optional()
    .describe('The Cloud Map service that the tasks register with. Changed by a rollout.'),
  enable_execute_command: z
    .boolean()
    .optional()
    .describe('Whether `aws ecs execute-command` gets into tasks that start from then on. Default: false.'),
  deployment_controller: z
    .strictObject({
      type: z
        .string()
        .max(16)
        .regex(
          /^ECS$/,
          'must be ECS: what CODE_DEPLOY or EXTERNAL roll out is theirs, and no service of a Tenant',
        )
        .describe('Kind of it: ECS.'),
    })
    .optional()
    .describe('Who rolls out: ECS, and nobody else.'),
  scheduling_strategy: z
    .enum(['REPLICA', 'DAEMON'])
    .optional()
    .describe(
      'Whether as many tasks run as are asked for, or one on each instance. It can not be changed in place: the service is made anew. Default: REPLICA.',
    ),
  placement_constraints: z
    .array(
      z.strictObject({
        type: z.enum(['distinctInstance', 'memberOf']).describe('Kind of the constraint.'),
        expression: z
          .string()
          .min(1)
          .max(1_000)
          .optional()
          .describe('Of memberOf: in the cluster query language.'),
      }),
    )
    .max(10)
    .optional()
    .describe('Which instances a task may be placed on.'),
  placement_strategy: z
    .array(
      z.strictObject({
        type: z.enum(['binpack', 'random', 'spread']).describe('Kind of the rule.'),
        field: z
          .string()
          .min(1)
          .max(255)
          .optional()
          .describe('What it goes by: `memory`, `attribute:ecs.availability-zone`.'),
      }),
    )
    .max(5)
    .optional()
    .describe('How tasks are placed on instances, the first rule first.'),
  availability_zone_rebalancing: z
    .enum(['ENABLED', 'DISABLED'])
    .optional()
    .describe('Whether ECS evens out tasks over zones. Left out later on, the service keeps what it has.'),
  service_connect_configuration: serviceConnectShape,
  vpc_lattice_configurations: z
    .array(
      z.strictObject({
        role_arn: roleArn.describe('ARN of the role by which ECS registers the tasks.'),
        target_group_arn: latticeTargetGroupArn.describe('ARN of the target group.'),
        port_name: portName.describe('Name of the port that is reached.'),
      }),
    )
    .max(5)
    .optional()
    .describe('VPC Lattice target groups that the tasks register with. Changed by a rollout.'),
  volume_configurations: z
    .array(volumeConfiguration)
    .max(1)
    .optional()
    .describe('The volume that each task gets as it starts, and that goes with it. Changed by a rollout.'),
  platform_version: z
    .string()
    .max(16)
    .regex(/^(LATEST|[0-9]+\.[0-9]+\.[0-9]+)$/, 'must be LATEST or a version such as 1.4.0')
    .optional()
    .describe('Platform version of Fargate. Changed by a rollout. Default: LATEST.'),
  propagate_tags: z
    .enum(['SERVICE', 'TASK_DEFINITION', 'NONE'])
    .optional()
    .describe('Whose tags the tasks get that start from then on. Default: SERVICE.'),
  enable_ecs_managed_tags: z
    .boolean()
    .optional()
    .describe('Whether ECS tags tasks with their cluster and service. Default: false.'),
  force_new_deployment: z
    .boolean()
    .optional()
    .describe(
      'Whether the annotation landlord.dev/reconcile-requested-at has all tasks started anew, once for each of its values: ' +
        'for a tag that moved, or a secret that changed. Default: false.',
    ),
  task_role_arn: roleArn
    .optional()
    .describe("ARN of the role of spec.containers, in place of the task definition's."),
  execution_role_arn: roleArn
    .optional()
    .describe(
      "ARN of the role that images and secrets of spec.containers are read with, in place of the task definition's.",
    ),
};
