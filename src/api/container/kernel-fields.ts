import { z } from 'zod';
import { capability } from '../capabilities.ts';
import { listMap } from '../rules.ts';

/** What a container has of the kernel that it runs on, in words that every engine has. No transforms: see ../compute-fields.ts. */

const capabilities = z.strictObject({
  add: z
    .array(capability)
    .max(capability.options.length)
    .optional()
    .describe(
      'Those that it has besides. The policy of the provider must allow each that is no default one.',
    ),
  drop: z
    .array(z.enum(['ALL', ...capability.options]))
    .max(capability.options.length + 1)
    .optional()
    .describe('Those that it does not have. ALL: none but those in add.'),
});

/** Those that have a value for each container, or for each network of its own: any other one is the host's. */
const sysctlName = z
  .string()
  .max(128)
  .regex(
    /^(net(\.[A-Za-z0-9_-]+)+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[a-z_]+)$/,
    'must be net.…, fs.mqueue.…, kernel.msg…, kernel.sem or kernel.shm…',
  );

const sysctl = z.strictObject({
  name: sysctlName.describe('Name of the setting, such as net.core.somaxconn.'),
  value: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9_.,-]+([ \t][A-Za-z0-9_.,-]+)*$/, 'must be words or numbers, with blanks between them')
    .describe('Its value.'),
});

export const kernelFields = {
  capabilities: capabilities.optional().describe("Linux capabilities, over the provider's default ones."),
  sysctls: listMap(z.array(sysctl).max(32), ['name'])
    .optional()
    .describe("Settings of the kernel for it alone. The provider's policy says which."),
  platform: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/, 'must be OS/ARCHITECTURE, such as linux/arm64')
    .optional()
    .describe(
      'Which of the images that have one name: `linux/amd64`, `linux/arm64`. Default: the one for the engine. On ECS all ' +
        'containers have the same.',
    ),
} as const;
