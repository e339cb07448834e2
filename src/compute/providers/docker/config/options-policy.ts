import { z } from 'zod';

/** Which of the options of one container tenants may ask for. */
export const optionsPolicyShape = {
  allow_privileged: z
    .boolean()
    .default(false)
    .describe('Whether tenants may have privileged containers, whose root is root on the host.'),
  allow_devices: z
    .array(z.string().regex(/^\/dev\//, 'must start with /dev/'))
    .default([])
    .describe(
      'Devices of the host that tenants may have in a container; `*` at the end stands for any characters: /dev/dri, /dev/ttyUSB*.',
    ),
  allow_gpus: z.boolean().default(false).describe('Whether tenants may have GPUs of the host.'),
  allow_security_opt: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Values of security_opt that tenants may have besides no-new-privileges, such as seccomp=unconfined; `*` at the end ' +
        'stands for any characters.',
    ),
  allow_host_ipc: z.boolean().default(false).describe('Whether tenants may use ipc_mode host.'),
  allow_log_drivers: z
    .array(z.string().min(1))
    .default(['json-file', 'local', 'none'])
    .describe('Log drivers that tenants may use. Others send what a tenant says to where it says.'),
} as const;
