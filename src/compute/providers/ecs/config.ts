import { z } from 'zod';
import { stringMap } from '../../../api/rules.ts';
import type { MapKey } from '../../../api/rules.ts';
import { autoscalingShape } from './config/autoscaling-shape.ts';
import { efsVolumesShape } from './config/efs-volumes-shape.ts';
import { kernelPolicyShape } from './config/kernel-policy.ts';
import { arnLength, roleArn } from './config/resource-arns.ts';
import { secretsShape } from './config/secrets-shape.ts';
import { servicePolicyShape } from './config/service-policy.ts';
import { serviceShape } from './config/service-shape.ts';

/** The ECS provider's keys. docs/compute-providers.md says where their names come from. */

const clusterArn = z
  .string()
  .max(arnLength)
  .regex(
    /^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster\/[A-Za-z0-9_-]+$/,
    'must be a cluster ARN such as arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
  );
const taskDefinitionArn = z
  .string()
  .max(arnLength)
  .regex(
    /^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition\/[A-Za-z0-9_-]+(:[0-9]+)?$/,
    'must be a task definition ARN such as arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
  );
const serviceName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, "-" or "_"');
const region = z
  .string()
  .max(32)
  .regex(/^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$/, 'must be a region such as us-west-2');
const subnet = z
  .string()
  .max(64)
  .regex(/^subnet-[a-z0-9]+$/, 'must be a subnet id such as subnet-123');
const securityGroup = z
  .string()
  .max(64)
  .regex(/^sg-[a-z0-9]+$/, 'must be a security group id such as sg-123');
const launchType = z.enum(['EC2', 'FARGATE', 'EXTERNAL']);

/** What stands in a placement. Its region may come from an ARN; it goes into the name of the host that is called. */
export const placeShapes = {
  region: z.string().regex(/^[a-z0-9-]{1,64}$/),
  cluster: clusterArn,
  service: serviceName,
  roleArn,
};

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html */
const tagSigns = 'letters, digits, blanks and _ . : / = + - @';
const tagKey: MapKey = {
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  reserved: /^[aA][wW][sS]:/,
  maxLength: 128,
  message: `must be 1 to 128 ${tagSigns}, not starting with aws:`,
};
const tagValue = z
  .string()
  .max(256)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, `must be ${tagSigns}`);
/** ECS takes 50 on a resource; Landlord's own, and its marks of these, need the rest. */
const maxTags = 38;
/** The wish for a drain is one more of Landlord's own. */
const maxTagsWithDrain = maxTags - 1;

const tenantShape = {
  cluster_arn: clusterArn.optional().describe('ARN of the ECS cluster that the service runs in.'),
  task_definition_arn: taskDefinitionArn
    .optional()
    .describe(
      'ARN of the task definition; with spec.containers, the base that they overlay, container by name.',
    ),
  service_name: serviceName.optional().describe('Name of the service. Goes before service_name_prefix.'),
  service_name_prefix: serviceName
    .max(190)
    .optional()
    .describe('What stands before the tenant id in the name of the service.'),
  region: region.optional().describe("AWS region. Default: the cluster ARN's."),
  desired_count: z
    .int()
    .min(0)
    .max(5000)
    .optional()
    .describe(
      'Tasks to run, as spec.replicas says it for every provider. Left out of tenant and operator config, it belongs to ' +
        'autoscaling after creation.',
    ),
  autoscaling: autoscalingShape,
  launch_type: launchType
    .optional()
    .describe(
      'What the tasks run on. Capacity providers in its place are taken for what they are: FARGATE for FARGATE, ' +
        'groups of instances for EC2. Left out later on, the service keeps what it has.',
    ),
  subnets: z
    .array(subnet)
    .max(16)
    .optional()
    .describe(
      "Subnets of the tasks (awsvpc network mode). Empty or unset: the operator's. Left out later on, where the " +
        'operator has none, the service keeps those that it has.',
    ),
  security_groups: z
    .array(securityGroup)
    .max(5)
    .optional()
    .describe(
      "Security groups of the tasks (awsvpc network mode). Left out, empty or unset: the operator's, or, where it names none, the VPC's default one.",
    ),
  assign_public_ip: z.boolean().optional().describe('Whether tasks get a public IP (awsvpc network mode).'),
  tags: stringMap(tagKey, tagValue, maxTags)
    .optional()
    .describe("Tags of the service. Keys starting with `landlord.` and `aws:` are not the tenant's."),
  drain: z
    .boolean()
    .optional()
    .describe(
      'Whether the service is scaled to 0, and its tasks are waited for, before it is deleted. Default: false.',
    ),
  assume_role: z
    .strictObject({ role_arn: roleArn.describe("ARN of the role; it must be on the operator's list.") })
    .optional()
    .describe('Role to assume for every call.'),
  ...serviceShape,
};

export const ecsTenantBlock = z.strictObject(tenantShape).describe('AWS ECS: one service per tenant.');

/** The same keys and words, with what must be there once the operator's block and the tenant's are merged. */
const mergedShape = {
  ...tenantShape,
  cluster_arn: clusterArn.describe(tenantShape.cluster_arn.description ?? ''),
  task_definition_arn: taskDefinitionArn.describe(tenantShape.task_definition_arn.description ?? ''),
};

function hasServiceName(block: {
  service_name?: string | undefined;
  service_name_prefix?: string | undefined;
}): boolean {
  return block.service_name !== undefined || block.service_name_prefix !== undefined;
}
const needsServiceName = {
  path: ['service_name_prefix'],
  message: 'is required where service_name is not given: one of them names the service',
};

function hasRoomForDrain(block: {
  drain?: boolean | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
}): boolean {
  return block.drain !== true || Object.keys(block.tags ?? {}).length <= maxTagsWithDrain;
}
const needsRoomForDrain = {
  path: ['tags'],
  message: `must have at most ${maxTagsWithDrain} entries where drain is true: it takes a tag of its own`,
};

function hasOneCapacity(block: {
  launch_type?: string | undefined;
  capacity_provider_strategy?: readonly unknown[] | undefined;
}): boolean {
  return block.launch_type === undefined || (block.capacity_provider_strategy ?? []).length === 0;
}
const needsOneCapacity = {
  path: ['capacity_provider_strategy'],
  message: 'excludes launch_type: leave one of them out',
};

export const ecsMergedBlock = z
  .strictObject(mergedShape)
  .refine(hasServiceName, needsServiceName)
  .refine(hasRoomForDrain, needsRoomForDrain);
export type EcsConfig = z.output<typeof ecsMergedBlock>;

export const ecsOperatorBlock = z
  .strictObject({
    ...mergedShape,
    endpoint: z
      .url('must be a URL such as https://ecs.example')
      .optional()
      .describe('URL of the ECS API instead of the one of the region.'),
    events_queue_url: z
      .url('must be a URL such as https://sqs.us-west-2.amazonaws.com/123456789012/NAME')
      .optional()
      .describe(
        'URL of an SQS queue fed by EventBridge with ECS events: a hint that triggers an early look.',
      ),
    ...secretsShape,
    ...efsVolumesShape,
    api_rate_share: z
      .number()
      .min(0.05)
      .max(1)
      .default(1)
      .describe(
        'How much of what Landlord takes of an account (70 % of its documented limits in a region) falls to this operator, ' +
          'from 0.05 to 1: for several operators in one account and region, of all of which it must be 1 at the most.',
      ),
    adopt_clusters: z
      .array(z.string())
      .default([])
      .describe(
        'Other clusters whose services are taken over, by the UID of their namespace kube-system or their cluster_id.',
      ),
  })
  .refine(hasServiceName, needsServiceName)
  .refine(hasRoomForDrain, needsRoomForDrain)
  .refine(hasOneCapacity, needsOneCapacity)
  .describe('Enables the ecs provider. Every key of the tenant block is its default.');
export type EcsOperatorBlock = z.output<typeof ecsOperatorBlock>;

const list = (what: string) =>
  z.array(z.string().min(1)).default([]).describe(`${what} that tenants may name.`);

export const ecsPolicyBlock = z
  .strictObject({
    allowed_clusters: list("Cluster ARNs besides the operator's own"),
    allowed_regions: list("Regions besides the operator's own"),
    allowed_roles: z
      .array(
        z.strictObject({
          role_arn: roleArn.describe('ARN of the role.'),
          external_id: z.string().min(2).max(1224).optional().describe('External id to assume it with.'),
          session_name: z.string().min(2).max(64).optional().describe('Session name to assume it with.'),
        }),
      )
      .default([])
      .describe('Roles that tenants may name in assume_role.'),
    allowed_task_definitions: list(
      "Task definition ARNs or families besides any revision of the operator's own family",
    ),
    allowed_subnets: list("Subnets besides the operator's own"),
    allowed_security_groups: list("Security groups besides the operator's own"),
    allowed_launch_types: z
      .array(launchType)
      .default([])
      .describe(
        "Launch types that tenants may name besides the operator's own; where it names none, FARGATE.",
      ),
    allow_public_ip: z
      .boolean()
      .optional()
      .describe(
        'Whether tenants may set assign_public_ip. Default: true, unless compute.ecs.assign_public_ip is false.',
      ),
    allowed_tag_keys: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Keys of tags that tenants may set, or set otherwise than the operator's own block does; `*` at the end stands for any characters.",
      ),
    allowed_service_names: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Values of service_name that tenants may name besides what the operator's prefix makes of their id, alone or followed by " +
          '`_` and more; `*` at the end stands for any characters. Never a name with the id of another tenant behind a prefix.',
      ),
    allowed_service_name_prefixes: list("Values of service_name_prefix besides the operator's own"),
    max_desired_count: z
      .int()
      .min(0)
      .max(5000)
      .default(100)
      .describe(
        "Most tasks that a tenant may ask for in replicas, desired_count or autoscaling.max; the operator's own count may be more. Where there are bounds in " +
          'policy.max_resources, all tasks together are held to them, too.',
      ),
    overlay_containers: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Containers of the task definition, besides its first, that the containers of tenants may overlay. One with power ' +
          'over its host (privileged, a path of the host, added capabilities, devices) never is.',
      ),
    ...kernelPolicyShape,
    ...servicePolicyShape,
  })
  .describe('What tenants may ask of ECS.');

export type EcsPolicy = z.output<typeof ecsPolicyBlock>;

export const ecsSharedKeys = Object.keys(tenantShape);
