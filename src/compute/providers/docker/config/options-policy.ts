import { z } from 'zod';

/** Which of the options of one container tenants may ask for. */
export const optionsPolicyShape = {
  allow_networks: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Networks of the engine that tenants may be in besides their own: whoever is in one reaches all others there. `*` at ' +
        "the end stands for any characters; another tenant's network is never meant.",
    ),
  allow_network_aliases: z
    .array(z.string().regex(/^(\*$|[^/]+\/)/, 'must be NETWORK/NAME, or *'))
    .default([])
    .describe(
      'Names that tenants may bear in networks of the engine besides their own, as NETWORK/NAME: whoever bears one gets what others ' +
        'there send to it. `*` at the end stands for any characters: proxy/shop-*.',
    ),
  allow_bind_addresses: z
    .array(z.union([z.ipv4(), z.ipv6()], { error: 'must be an IP address' }))
    .default([])
    .describe(
      "Addresses of the host at which tenants may publish ports, by port_bind_address of a container, besides the operator's own.",
    ),
  foreign_containers: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Names of containers that were not made by Landlord, which tenants may observe and, with policy.allow_adopt, take over; ' +
        '`*` at the end stands for any characters.',
    ),
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
