import { z } from 'zod';
import { processText } from '../../../../api/bounded.ts';
import { capability } from '../../../../api/capabilities.ts';
import {
  computeResources,
  imageReference,
  portNumber,
  portProtocol,
} from '../../../../api/compute-fields.ts';
import { stringMap } from '../../../../api/rules.ts';
import { envKey } from '../../../../api/container/value-sources.ts';
import { networkMode, optionsByContainer } from './container-options.ts';
import { engineName } from './engine-shape.ts';
import { labels, mountLines } from './marks-and-volumes.ts';

const port = z.strictObject({
  container_port: portNumber.describe('Port that the container listens on.'),
  host_port: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port to publish on the host. 0, or absent: one that the engine picks.'),
  protocol: z
    .enum([...portProtocol.options, 'tcp', 'udp', 'sctp'])
    .default('TCP')
    .describe('Protocol of the port.'),
});

/** What a container may be without a bound on. */
const unbounded = z.enum(['cpu', 'memory', 'pids', 'log']);

/** Each key of the tenant's block, which the operator's block has as a default. */
export const tenantShape = {
  image: imageReference
    .optional()
    .describe('Image of the container `app`, where spec.containers names none.'),
  engine: engineName
    .optional()
    .describe(
      "Engine that it runs on, one of the operator's compute.docker.engines; where this key is absent, the label or annotation " +
        'landlord.dev/engine says it. Default: the engine of compute.docker.host. Another one is a move.',
    ),
  env: stringMap(envKey, processText, 512)
    .optional()
    .describe('Environment of the container `app`, where spec.containers names none.'),
  volumes: mountLines
    .optional()
    .describe(
      'Volumes of every container: `name:/path` is a volume of the tenant, which spec.volumePolicy keeps or removes with it; ' +
        "`/host/path:/path` a bind mount, which the operator's policy must allow.",
    ),
  network_mode: networkMode
    .optional()
    .describe(
      "Network of the containers. bridge, the default: one of the tenant's own, or the operator's network_name where it has " +
        'one and the tenant one container. host and container: need its policy.',
    ),
  ports: z
    .array(port)
    .max(64)
    .optional()
    .describe('Ports of the container `app`, where spec.containers names none.'),
  restart_policy: z
    .enum(['no', 'always', 'on-failure', 'unless-stopped'])
    .optional()
    .describe(
      'What happens when a container stops. always, unless-stopped: it is started again; on-failure: after non-zero ' +
        'exits only; "no" (in quotes: YAML takes a bare no for false): the exit stands. Default: unless-stopped.',
    ),
  labels: labels
    .optional()
    .describe("Labels of every container. They may not start with the operator's label_prefix."),
  resources: computeResources.optional().describe('Limits of the container `app`, where spec names none.'),
  cap_add: z
    .array(capability)
    .max(capability.options.length)
    .optional()
    .describe(
      'Linux capabilities of every container besides the default ones (CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, ' +
        "NET_BIND_SERVICE, SETGID, SETPCAP, SETUID, SYS_CHROOT). The operator's policy.docker.allow_capabilities " +
        'must name each.',
    ),
  no_new_privileges: z
    .boolean()
    .optional()
    .describe(
      'false: setuid programs such as su and sudo, and file capabilities, give rights in every container, which the ' +
        "operator's policy.docker.allow_setuid must allow. Default: true.",
    ),
  pids_limit: z
    .int()
    .min(1)
    .max(4_194_304)
    .optional()
    .describe(
      "Most processes and threads of each container. More than 1024: with the operator's " +
        'policy.docker.allow_unlimited. Default: 1024.',
    ),
  unlimited: z
    .array(unbounded)
    .max(unbounded.options.length)
    .optional()
    .describe(
      "What has no bound in every container, with the operator's policy.docker.allow_unlimited. cpu, memory: no limit " +
        "where none is named, whatever policy.default_resources says; pids: no pids_limit; log: the engine's own " +
        'configuration of logs, instead of 3 files of 10 MB.',
    ),
  containers: optionsByContainer
    .optional()
    .describe(
      "What one container has of Docker's alone, by its name; `app` where spec.containers names none.",
    ),
  init: z
    .boolean()
    .optional()
    .describe(
      "true: the engine's small init is process 1 of every container; it passes signals on and reaps what is left over. " +
        "Default: the container's own program is.",
    ),
};
