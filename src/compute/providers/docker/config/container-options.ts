import { z } from 'zod';
import { dnsLabelPattern, longestDnsLabel, maxContainers, plainValue } from '../../../../api/bounded.ts';
import { ipAddress } from '../../../../api/process-fields.ts';
import { keyedMap, stringMap } from '../../../../api/rules.ts';
import { labels, mountLines } from './marks-and-volumes.ts';

/** What one container may have of Docker that other engines do not have. */

export const networkMode = z
  .string()
  .max(255)
  .regex(
    /^(bridge|host|none|container:[A-Za-z0-9][A-Za-z0-9_.-]*)$/,
    'must be bridge, host, none or container:NAME',
  );

const ownNetworkMode = z
  .string()
  .max(255)
  .regex(
    // As many signs of a container's name as the length leaves: without an end to them, it takes seconds to prove the pattern linear.
    /^(bridge|host|none|container:[A-Za-z0-9][A-Za-z0-9_.-]{0,244}|service:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/,
    'must be bridge, host, none, container:NAME or service:NAME',
  );

const device = z
  .string()
  .max(1024)
  .regex(
    /^\/dev\/[^:\s\p{Cc}]+(:\/[^:\s\p{Cc}]+)?(:[rwm]{1,3})?$/u,
    'must be /dev/PATH, with :/PATH of the container and :rwm where they differ',
  );

const gpusMessage = 'must be all, or how many';
const gpus = z
  .union([z.literal('all'), z.int(gpusMessage).min(1, gpusMessage).max(64, gpusMessage)], {
    error: gpusMessage,
  })
  .meta({ 'x-kubernetes-int-or-string': true, pattern: '^all$', maxLength: 3, minimum: 1, maximum: 64 });

const securityOption = z
  .string()
  .max(256)
  .regex(
    /^(no-new-privileges([:=](true|false))?|(apparmor|seccomp)[:=]unconfined|label[:=](disable|(user|role|type|level):[A-Za-z0-9_.:,-]+))$/,
    'must be no-new-privileges, apparmor=unconfined, seccomp=unconfined, label=disable or label=type:…',
  );

const logging = z.strictObject({
  driver: z
    .string()
    .max(128)
    .regex(/^[a-z0-9][A-Za-z0-9_.:/-]*$/, 'must be the name of a log driver')
    .optional()
    .describe(
      "Default: json-file. Others than json-file, local and none: with the operator's allow_log_drivers.",
    ),
  options: stringMap(
    {
      pattern: /^[a-z0-9][a-z0-9._-]*$/,
      maxLength: 64,
      message: 'must be 1 to 64 lower case letters, digits, ".", "_" or "-"',
    },
    plainValue,
    32,
  )
    .optional()
    .describe(
      'Options of the driver. json-file and local keep 3 files of 10 MB; other values of max-size and max-file that come to ' +
        "more than 30 MB together: with the operator's allow_unlimited.",
    ),
});

const foreignNetworkPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const foreignNetworkMessage = 'must be the name of a network';
const longestNetworkName = 128;
const mostNetworks = 8;

const foreignNetwork = z.string().max(longestNetworkName).regex(foreignNetworkPattern, foreignNetworkMessage);

const networkAlias = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be a name that the DNS of a network may have');

const options = z.strictObject({
  container_name: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be the name of a container on the engine')
    .optional()
    .describe(
      'Name of a container that was not made by Landlord: with `mode: Observe` it is shown, with `adopt: true` replaced by one of ' +
        "the Tenant's own. With the operator's policy.docker.foreign_containers.",
    ),
  volumes: mountLines
    .optional()
    .describe(
      "Volumes of it alone, besides the block's: `/host/path:/path` as the operator's policy allows it.",
    ),
  labels: labels
    .optional()
    .describe("Labels of it alone, over the block's. They may not start with the operator's label_prefix."),
  network_mode: ownNetworkMode
    .optional()
    .describe(
      "Its network, instead of the block's. service:NAME: that of the container NAME of this Tenant, with its address, its ports and " +
        'its name; it begins after that one and is replaced with it.',
    ),
  networks: z
    .array(foreignNetwork)
    .max(mostNetworks)
    .optional()
    .describe(
      "Networks of the engine that it is in besides its own, by name, such as a reverse proxy's, that the operator's " +
        'policy.docker.allow_networks has. None of them is made or removed.',
    ),
  network_aliases: keyedMap(
    { pattern: foreignNetworkPattern, maxLength: longestNetworkName, message: foreignNetworkMessage },
    z.array(networkAlias).max(8),
    mostNetworks,
  )
    .optional()
    .describe(
      'Names by which others find it in these networks, by the name of the network, besides its own name on the engine. With the ' +
        "operator's policy.docker.allow_network_aliases: who else bears one there gets its share of what is sent to it.",
    ),
  port_bind_address: ipAddress
    .optional()
    .describe(
      "Address of the host at which its ports are published. Default: the operator's port_bind_address; any other: with the " +
        "operator's policy.docker.allow_bind_addresses.",
    ),
  privileged: z
    .boolean()
    .optional()
    .describe("true: root in it is root on the host. With the operator's policy.docker.allow_privileged."),
  devices: z
    .array(device)
    .max(32)
    .optional()
    .describe(
      "Devices of the host, as `/dev/dri` or `/dev/ttyUSB0:/dev/tty0:rw`, that the operator's policy.docker.allow_devices has.",
    ),
  gpus: gpus
    .optional()
    .describe("GPUs of the host: all, or how many. With the operator's policy.docker.allow_gpus."),
  security_opt: z
    .array(securityOption)
    .max(8)
    .optional()
    .describe(
      "no-new-privileges, which is so by default; others as the operator's policy.docker.allow_security_opt has them.",
    ),
  ipc_mode: z
    .enum(['none', 'private', 'shareable', 'host'])
    .optional()
    .describe("Its shared memory. host: with the operator's policy.docker.allow_host_ipc."),
  logging: logging.optional().describe('Where its output goes.'),
});
export type ContainerOptionsConfig = z.output<typeof options>;

export const optionsByContainer = keyedMap(
  {
    pattern: dnsLabelPattern,
    maxLength: longestDnsLabel,
    message: 'must be the name of a container',
  },
  options,
  maxContainers,
);
