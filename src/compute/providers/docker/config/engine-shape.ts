import { z } from 'zod';

/** What an engine has of its own: the block's, and each of those that `engines` names. */

const addressForm = /^(unix|tcp|ssh):\/\/.+$/;
const addressMessage = 'must start with unix://, tcp:// or ssh://';

/** A word that can stand in a label. */
export const engineName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of an engine, such as edge-1');

/** RFC 1918 and RFC 6598 address with prefix length; a /28 for each tenant network must fit in. */
const cidr = z
  .cidrv4({ error: 'must be an IPv4 network such as 10.210.0.0/16', abort: true })
  .refine((value) => Number(value.split('/')[1]) <= 28, 'must have room for at least one /28');

const bindAddress = z.union([z.ipv4(), z.ipv6()], {
  error: 'must be an IP address such as 127.0.0.1 or ::1',
});

const file = z.string().min(1).optional();

const tls = z
  .strictObject({
    ca_file: file.describe(
      'File with the certificates (PEM) of who signs for the engine. Absent: public ones.',
    ),
    cert_file: file.describe("File with the operator's own certificate (PEM), for an engine that wants one."),
    key_file: file.describe('File with the key (PEM) of that certificate.'),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
    path: ['key_file'],
    message: 'one of cert_file and key_file is of no use without the other',
  })
  .optional()
  .describe('TLS, for a host that starts with tcp:// alone. The files are read at the start.');

const formerHosts = z
  .array(z.string().regex(addressForm, addressMessage))
  .default([])
  .describe(
    'Addresses that host had before, where tenants may still have something. The operator connects to no others, whatever ' +
      "a tenant's status says.",
  );

export const ownEngineShape = {
  host: z
    .string()
    .regex(/^$|^(unix|tcp|ssh):\/\/.+$/, `must be empty or start with unix://, tcp:// or ssh://`)
    .default('')
    .describe(
      'Docker Engine. Empty: DOCKER_HOST, then the default socket. An address of another engine moves all tenants there.',
    ),
  tls,
  former_hosts: formerHosts,
  port_bind_address: bindAddress
    .default('127.0.0.1')
    .describe('Host address that published ports are bound to.'),
  network_pool: cidr
    .default('10.210.0.0/16')
    .describe(
      'What networks of tenants are cut from, each as large as its containers need, a /28 at least. Nothing else that the host has a route to may be in it.',
    ),
};

const namedEngine = z
  .strictObject({
    host: z
      .string()
      .regex(addressForm, addressMessage)
      .describe('Docker Engine. An address of another engine moves its tenants there.'),
    tls,
    former_hosts: formerHosts,
    port_bind_address: bindAddress
      .optional()
      .describe("Host address that published ports are bound to. Absent: the block's."),
    network_pool: cidr.optional().describe("What networks of tenants are cut from. Absent: the block's."),
  })
  .refine(hasUseForTls, tlsWithoutUse());

export const namedEngines = z
  .record(engineName, namedEngine)
  .default({})
  .describe(
    'Further engines, by name, each once. A tenant is on one of them by `engine` in its block, or by its label ' +
      '`landlord.dev/engine`, and else on that of `host`. All else in this block is for all engines.',
  );
export type NamedEngine = z.output<typeof namedEngine>;

interface Reached {
  readonly host: string;
  readonly tls?: unknown;
}

export function hasUseForTls({ host, tls: files }: Reached): boolean {
  return files === undefined || host.startsWith('tcp://');
}

export function tlsWithoutUse() {
  return { path: ['tls'], message: 'is for a host that starts with tcp:// alone' };
}

interface Engines extends Reached {
  readonly engine?: string | undefined;
  readonly engines: Readonly<Record<string, Reached>>;
}

/** Two names for one engine would be two keepers of the same containers. */
export function checkEngines(
  { host, engine, engines }: Engines,
  refuse: (path: readonly string[], message: string) => void,
): void {
  const names = Object.keys(engines);
  if (engine !== undefined && !names.includes(engine))
    refuse(['engine'], `is none of engines: ${names.join(', ') || 'there are none'}`);
  const seen = new Set([host]);
  for (const [name, { host: address }] of Object.entries(engines)) {
    if (seen.has(address)) refuse(['engines', name, 'host'], 'leads to an engine that is listed already');
    seen.add(address);
  }
}
