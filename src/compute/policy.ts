import { z } from 'zod';
import type { ComputeResources } from '../api/compute-fields.ts';
import { memoryBytes, nanoCpus, isPositiveQuantity } from '../api/quantity.ts';
import { ComputeError } from './errors.ts';
import { matchesImage, parseImagePattern } from './spec/image-pattern.ts';
import type { ImagePattern } from './spec/image-pattern.ts';
import { parseImageReference } from './spec/image-reference.ts';

const boundMessage = 'must be a positive Kubernetes quantity such as 2 or 4Gi, or empty for no bound';
const bound = z.union(
  [
    z.string().refine((text) => text === '' || isPositiveQuantity(text), boundMessage),
    z.int(boundMessage).min(1, boundMessage),
  ],
  { error: boundMessage },
);

/** Patterns of image references; see image-pattern.ts. */
export const imagePatterns = z.array(
  z
    .string()
    .refine(isImagePattern, 'must be a pattern of image references such as registry.example/team/*:1.*'),
);

/** What Tenants may be called, on whatever provider. */
export const identityPolicyShape = {
  free_tenant_ids: z
    .boolean()
    .default(false)
    .describe(
      'Whether a Tenant may have any tenantId. False: one that begins with its namespace and `-`, so that nobody takes ' +
        "the id, and with it the names, of another namespace's. What has a place on an engine already keeps its id.",
    ),
};

/** What tenants may ask for on every provider; the operator's config decides, never the tenant. */
export const commonPolicyShape = {
  allowed_images: imagePatterns
    .default(['*'])
    .describe(
      'Patterns of the images that tenants may run, as whole references: `registry.example/team/*`. `*` stands for any ' +
        'characters but `/`, `**` for `/` as well; alone, each stands for every image.',
    ),
  max_resources: z
    .strictObject({
      cpu: bound.default('').describe('Most CPU per tenant, all containers together.'),
      memory: bound.default('').describe('Most memory per tenant, all containers together.'),
    })
    .prefault({})
    .describe(
      'The most that one tenant may use. Where a bound is set, every container must name that limit, or get one by ' +
        'default_resources.',
    ),
  default_resources: z
    .strictObject({
      cpu: bound.default('').describe('CPU limit of a container that names none.'),
      memory: bound.default('').describe('Memory limit of a container that names none.'),
    })
    .prefault({})
    .describe(
      'Limits of each container on Docker that names none. Empty: it has none, and may use what the host has. On ECS ' +
        'it is the task definition that says what a task gets.',
    ),
  allow_adopt: z
    .boolean()
    .optional()
    .describe(
      'Whether a Tenant may take over, by `adopt: true`, what policy.docker.foreign_containers and policy.ecs.foreign_services ' +
        'list; else it may only observe that. Default: false.',
    ),
  allow_retain: z
    .boolean()
    .optional()
    .describe(
      'Whether a Tenant may leave behind what it runs: by `deletionPolicy: Retain`, or by giving up a place that can be emptied. ' +
        'Default: true, but for the namespaces in policy.namespaces.',
    ),
};

export type CommonPolicy = z.output<z.ZodObject<typeof commonPolicyShape>>;

export interface PolicySubject {
  readonly name: string;
  /** Undefined: it is not the tenant's choice. */
  readonly image?: string;
  readonly resources: ComputeResources;
}

/**
 * Throws ComputeError PolicyDenied, naming the rule, where one of the containers goes beyond the policy; InvalidSpec, where
 * its image is no reference.
 */
export function checkCommonPolicy(policy: CommonPolicy, containers: readonly PolicySubject[]): void {
  for (const { name, image } of containers) {
    if (image === undefined || matchesOneOf(policy.allowed_images, image)) continue;
    throw denied(
      'allowed_images',
      `container ${name}: image ${image} matches none of ${policy.allowed_images.join(', ')}`,
      'Use an allowed image',
    );
  }
  checkBound(policy, containers, 'cpu');
  checkBound(policy, containers, 'memory');
}

/** A refusal that names the rule of the operator's config, so that the admin knows which one to change. */
export function denied(rule: string, what: string, mend: string): ComputeError {
  return new ComputeError(
    'PolicyDenied',
    `policy.${rule}: ${what}. ${mend}, or have the operator's admin allow it`,
  );
}

/** Whether the text is one of the list, or begins as one of it does that ends with `*`. */
export function isListed(list: readonly string[], text: string): boolean {
  return list.some((entry) => (entry.endsWith('*') ? text.startsWith(entry.slice(0, -1)) : text === entry));
}

function checkBound(
  policy: CommonPolicy,
  containers: readonly PolicySubject[],
  resource: 'cpu' | 'memory',
): void {
  const bound = policy.max_resources[resource];
  if (bound === '') return;
  // Whole units: 100m and 200m of CPU add up to 300m, which 0.1 + 0.2 does not.
  const units = resource === 'cpu' ? nanoCpus : memoryBytes;
  let sum = 0;
  for (const { name, resources } of containers) {
    const limit = resources[resource];
    if (limit === undefined) {
      const what = `container ${name} names no ${resource} limit, and tenants may use at most ${bound}`;
      throw denied(`max_resources.${resource}`, what, `Set its resources.${resource}`);
    }
    sum += units(limit);
  }
  if (sum > units(bound)) {
    const what = `the containers ask for more ${resource} together than the ${bound} that a tenant may use`;
    throw denied(`max_resources.${resource}`, what, 'Ask for less');
  }
}

const parsedPatterns = new WeakMap<readonly string[], readonly ImagePattern[]>();

/** Throws ComputeError InvalidSpec where it is no image reference. */
export function matchesOneOf(patterns: readonly string[], image: string): boolean {
  const parsed = parsedPatterns.get(patterns) ?? patterns.map(parseImagePattern);
  parsedPatterns.set(patterns, parsed);
  const reference = parseImageReference(image);
  return parsed.some((pattern) => matchesImage(pattern, reference));
}

function isImagePattern(pattern: string): boolean {
  try {
    parseImagePattern(pattern);
    return true;
  } catch {
    return false;
  }
}
