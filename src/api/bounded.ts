import { z } from 'zod';

/**
 * How long what users write may be. Every string, list and map of a Tenant has a bound, and so has the whole: who may
 * create Tenants must not be able to take an engine's, or the operator's, memory and time. A test walks the CRD.
 */

/** Most characters of one value of the environment, or of one argument: a chain of certificates fits in. */
const longestValue = 32_768;

/** Most characters of all of these that a tenant's containers name. */
export const maxValues = 131_072;

/** Most bytes of a whole spec, as JSON. */
export const maxSpecBytes = 262_144;

/** Most containers of a tenant. */
export const maxContainers = 16;

/** Most of a tenant's replicas: as many tasks as a service of ECS may have. */
export const maxReplicas = 5000;

/** Most ports of a tenant, all containers together: each that is published takes a process on the host. */
export const maxPorts = 64;

/** RFC 1123 label, of at most `longestDnsLabel` characters. */
export const dnsLabelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
export const longestDnsLabel = 63;

/** What Kubernetes takes as a container or tenant name. */
export const dnsLabel = z
  .string()
  .min(1)
  .max(longestDnsLabel)
  .regex(dnsLabelPattern, 'must be a DNS label: lower case letters, digits and inner dashes');

/** What a process is given. A NUL would end it there, or be refused by the engine's runtime. */
export const processText = z
  .string()
  .max(longestValue)
  .regex(/^[^\0]*$/, 'must not contain NUL');

/** A value of a mark that others read and print: no control characters. */
export const plainValue = z
  .string()
  .max(256)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

/** What is wrong with the size of a spec that no bound of its parts has caught; undefined: nothing. */
export function oversize(spec: unknown): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(spec) ?? '');
  if (bytes <= maxSpecBytes) return undefined;
  return `has ${bytes} bytes as JSON, must have at most ${maxSpecBytes}: put large values into files of the image, or of a volume`;
}
