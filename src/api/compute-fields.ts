import { z } from 'zod';
import { dnsLabel, processText } from './bounded.ts';
import { edge, edgeRules } from './container/edge-field.ts';
import { healthCheck } from './container/health-check.ts';
import { imageIdPattern, isImageId } from './image-id.ts';
import { kernelFields } from './container/kernel-fields.ts';
import { lifecycleFields } from './container/lifecycle-fields.ts';
import { processFields } from './process-fields.ts';
import { quantity } from './quantity-field.ts';
import { isPositiveQuantity, parseQuantity } from './quantity.ts';
import { listMap, withRules } from './rules.ts';
import { envFrom, envName, valueFrom } from './container/value-sources.ts';
import { volumeMounts } from './container/volume-fields.ts';

/** Schemas of values that tenants and provider blocks share. Everything here ends up in the CRD: no transforms. */

/** The longest image reference that is taken; the OCI limit is 255 for the name and 128 for the tag. */
export const imageReference = withRules(
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^\s\p{Cc}]+$/u, 'must be an image reference without blanks, such as registry.example/app:1.4'),
  [
    {
      rule: `!self.matches('${imageIdPattern}')`,
      message: "must name an image, not an image's id",
      holds: (image) => !isImageId(image),
    },
  ],
);

/** What engines take at the least: a runtime refuses to start a container with less. */
const leastResources = { cpu: '10m', memory: '6Mi' } as const;

/** A block may unset one by null; what is no quantity is refused as such. */
function isLess(resource: keyof typeof leastResources, value: string | number | null | undefined): boolean {
  if (value === undefined || value === null || !isPositiveQuantity(String(value))) return false;
  return parseQuantity(value) < parseQuantity(leastResources[resource]);
}

export const computeResources = withRules(
  z.strictObject({
    cpu: quantity
      .optional()
      .describe('CPU limit, a Kubernetes quantity in cores, such as 500m or 2; at least 10m.'),
    memory: quantity
      .optional()
      .describe('Memory limit, a Kubernetes quantity in bytes, such as 256Mi; at least 6Mi.'),
  }),
  (['cpu', 'memory'] as const).map((resource) => ({
    rule:
      `!has(self.${resource}) || self.${resource} == null || ` +
      `!quantity(string(self.${resource})).isLessThan(quantity('${leastResources[resource]}'))`,
    message: `must be at least ${leastResources[resource]}, for engines take no less`,
    fieldPath: `.${resource}`,
    holds: (resources) => !isLess(resource, resources[resource]),
  })),
);

export const portNumber = z.int().min(1).max(65_535);

export const portProtocol = z.enum(['TCP', 'UDP', 'SCTP']);

export const envVar = withRules(
  z.strictObject({
    name: envName.describe('Name of the variable.'),
    value: processText.optional().describe('Its value. Excludes valueFrom.'),
    valueFrom: valueFrom
      .optional()
      .describe(
        'Where the value comes from. Excludes value. A changed Secret or ConfigMap rolls the tenant; on ECS, a rotated secret does ' +
          'where the operator asks for its versions.',
      ),
  }),
  [
    {
      rule: '!(has(self.value) && has(self.valueFrom))',
      message: 'value and valueFrom exclude each other',
      fieldPath: '.value',
      holds: ({ value, valueFrom }) => value === undefined || valueFrom === undefined,
    },
  ],
);

export const containerPort = withRules(
  z.strictObject({
    name: dnsLabel.max(15).optional().describe('Name of the port, used as the name of the endpoint.'),
    containerPort: portNumber.describe('Port that the container listens on.'),
    hostPort: portNumber
      .optional()
      .describe(
        'Port to publish on the host. Without it, the engine picks one; status.compute.endpoints shows it.',
      ),
    protocol: portProtocol.default('TCP').describe('Protocol of the port.'),
    edge,
  }),
  edgeRules,
);

export const container = z.strictObject({
  name: dnsLabel.describe('Name of the container, unique within the tenant.'),
  image: imageReference.describe('Image reference: name with tag or digest.'),
  command: z.array(processText).max(256).optional().describe("Entrypoint, instead of the image's."),
  args: z.array(processText).max(256).optional().describe("Arguments, instead of the image's command."),
  env: listMap(z.array(envVar).max(512), ['name']).optional().describe('Environment variables.'),
  envFrom,
  volumeMounts,
  ports: listMap(z.array(containerPort).max(64), ['containerPort', 'protocol'])
    .optional()
    .describe('Ports that the container listens on; each is published and shown as an endpoint.'),
  healthCheck: healthCheck.optional().describe('How the engine finds out whether the container is healthy.'),
  resources: computeResources
    .optional()
    .describe("Limits of this container, instead of the tenant's resources."),
  ...processFields,
  ...kernelFields,
  ...lifecycleFields,
});

export type Container = z.output<typeof container>;
export type ContainerPort = z.output<typeof containerPort>;
export type ComputeResources = z.output<typeof computeResources>;
