import { z } from 'zod';
import { imageReference } from '../../../api/compute-fields.ts';
import { capability } from '../../../api/capabilities.ts';
import { duration } from '../../../api/duration.ts';
import { imagePatterns } from '../../policy.ts';
import { registryCredential } from '../../spec/registry-entry.ts';
import { allowedSysctls } from '../../sysctl-policy.ts';
import {
  checkEngines,
  hasUseForTls,
  namedEngines,
  ownEngineShape,
  tlsWithoutUse,
} from './config/engine-shape.ts';
import { imageGc } from './config/image-gc.ts';
import { optionsPolicyShape } from './config/options-policy.ts';
import { tenantShape } from './config/tenant-shape.ts';

/** The Docker provider's keys. docs/compute-providers.md says where their names come from. */

export const dockerTenantBlock = z
  .strictObject(tenantShape)
  .describe('Docker Engine: one container per entry.');

/** The image may be missing here: with spec.containers, it is not used. */
export const dockerMergedBlock = dockerTenantBlock;
export type DockerConfig = z.output<typeof dockerMergedBlock>;

export const dockerOperatorBlock = z
  .strictObject({
    ...tenantShape,
    image: imageReference.describe('Image of tenants that name none.'),
    ...ownEngineShape,
    engines: namedEngines,
    network_name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be a network name')
      .optional()
      .describe(
        'A network that all tenants with one container share; created with network_driver, and so that they do not ' +
          'reach each other there, where it does not exist. Absent: each tenant has one of its own.',
      ),
    network_driver: z
      .string()
      .min(1)
      .default('bridge')
      .describe('Driver of networks that the operator creates.'),
    edge_image: imageReference
      .default('haproxy:3.2.21-alpine3.24')
      .describe(
        'Image of the proxy of tenants that have a port with `edge`: HAProxy 2.6 or later, as `haproxy` in its PATH. The default is a tag ' +
          'without a digest, which its registry may lead elsewhere: pin it as `haproxy:TAG@sha256:…`, or name one of your own ' +
          'registry. Another one replaces their proxies, each with a gap.',
      ),
    label_prefix: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'must be lower case letters, digits, "." or "-"')
      .default('landlord')
      .describe('What stands before the names and labels of everything created.'),
    pull_silence: duration
      .default('1m')
      .describe('How long a registry may send nothing before a pull is given up. Unpacking does not count.'),
    pull_deadline: duration.default('30m').describe('How long a pull may take in all before it is given up.'),
    image_gc: imageGc,
    registries: z
      .record(z.string().min(1), registryCredential)
      .default({})
      .describe(
        'Credentials by registry host, or host and path: `registry.example/team` is for what is below that path alone, and the ' +
          "longest path wins. Before all of them come the tenant's imagePullSecrets.",
      ),
    adopt_clusters: z
      .array(z.string())
      .default([])
      .describe(
        'Other clusters whose containers are taken over, by the UID of their namespace kube-system or their cluster_id.',
      ),
  })
  .refine(hasUseForTls, tlsWithoutUse())
  .superRefine((block, context) => {
    checkEngines(block, (path, message) => context.addIssue({ code: 'custom', path: [...path], message }));
  })
  .describe('Enables the docker provider. Every key of the tenant block is its default.');
export type DockerOperatorBlock = z.output<typeof dockerOperatorBlock>;

const portRange = z
  .string()
  .regex(/^\d{1,5}(-\d{1,5})?$/, {
    error: 'must be a port or a range of ports such as "18000-18999"',
    abort: true,
  })
  .refine((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return first >= 1 && first <= last && last <= 65_535;
  }, 'must be within 1-65535, the lower port first');

const hostPath = z.string().regex(/^\//, 'must be an absolute path');

export const dockerPolicyBlock = z
  .strictObject({
    allowed_host_paths: z
      .array(
        z.union(
          [
            hostPath,
            z.strictObject({
              path: hostPath.describe('The path.'),
              writable: z
                .boolean()
                .default(false)
                .describe(
                  'Whether tenants may write to it. Then it is this very path, and nothing below it.',
                ),
              relabel: z
                .boolean()
                .optional()
                .describe(
                  'Whether tenants may mount it with z or Z, by which SELinux labels this very path, and all below it, for ' +
                    'containers: on the host, for everybody. Default: false.',
                ),
            }),
          ],
          { error: 'must be an absolute path, or {path, writable, relabel}' },
        ),
      )
      .default([])
      .describe(
        'Host paths that tenants may mount: PATH or {path: PATH, writable: false}. To be read, with everything below it ' +
          'that is no way to control the host; with writable: true to be written to as well, and then the very path alone.',
      ),
    allowed_registries: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Keys of compute.docker.registries that tenants may pull with, whatever namespaces those are for.',
      ),
    allow_capabilities: z
      .array(capability)
      .default([])
      .describe(
        'Linux capabilities that tenants may add (capabilities.add, cap_add). Some are as good as root on the host.',
      ),
    allow_sysctls: allowedSysctls,
    allow_setuid: z
      .boolean()
      .default(false)
      .describe('Whether tenants may say no_new_privileges: false, for images that need su or sudo.'),
    allow_unlimited: z
      .boolean()
      .default(false)
      .describe(
        'Whether tenants may have containers without a bound (unlimited), and more than 1024 processes in one (pids_limit).',
      ),
    allow_local_images: z
      .boolean()
      .default(true)
      .describe(
        'Whether tenants may use images that come from no registry, but were built or loaded on the engine.',
      ),
    unverified_images: imagePatterns
      .default([])
      .describe(
        "Patterns of images that tenants may use as the engine has them, without the registry's word that their credentials " +
          'are good for them: for engines that can not reach it.',
      ),
    allowed_engines: z
      .array(z.string().min(1))
      .default(['*'])
      .describe(
        'Names of compute.docker.engines that tenants may pick; `*`: all of them. The engine of compute.docker.host needs ' +
          'no leave, nor does the one that compute.docker.engine names.',
      ),
    allow_host_network: z.boolean().default(false).describe('Whether tenants may use network_mode host.'),
    allow_join_network: z
      .boolean()
      .default(false)
      .describe('Whether tenants may use network_mode container:NAME.'),
    ...optionsPolicyShape,
    host_ports: z
      .array(portRange)
      .default(['1024-65535'])
      .describe(
        'Host ports that tenants may ask for, such as 8443 or 18000-18999; 1024-65535 where the top level says nothing. An ' +
          'empty list: none, the engine picks them.',
      ),
    max_ports: z
      .int()
      .min(0)
      .max(1024)
      .default(16)
      .describe('Most ports that one tenant may publish, all containers together.'),
    min_health_interval: duration
      .default('100ms')
      .describe(
        'The shortest time between two health checks of a container: each takes a process on the host.',
      ),
  })
  .describe('What tenants may ask of Docker.');
export type DockerPolicy = z.output<typeof dockerPolicyBlock>;
export const dockerSharedKeys = Object.keys(tenantShape);
