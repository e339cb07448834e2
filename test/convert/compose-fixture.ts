import { z } from 'zod';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { TenantSpecSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { convertCompose } from '../../src/convert/compose/convert-compose.ts';
import type { Surroundings } from '../../src/convert/compose/project.ts';

export const schema = tenantSpecSchema(tenantBlocks);

/** Takes whatever a row says: what the schema makes of it is for others to test. */
export const anySpec = z.looseObject({}) as unknown as TenantSpecSchema;

export interface Said {
  readonly spec: Spec | undefined;
  readonly manifests: readonly object[];
  /** `KIND FROM: TEXT` */
  readonly notes: readonly string[];
}

interface Spec {
  readonly containers: readonly Readonly<Record<string, unknown>>[];
  readonly [key: string]: unknown;
}

/** What a compose file says, taken by `by`. `files`: those beside it, in /srv/shop. */
export function converted(
  source: string,
  around: Partial<Surroundings> & { readonly files?: Readonly<Record<string, string>> } = {},
  by: TenantSpecSchema = anySpec,
): Said {
  const { files = {}, ...own } = around;
  const { manifests, notes } = convertCompose(
    source,
    {
      name: 'shop',
      folder: '/srv/shop',
      home: '/home/ann',
      profiles: [],
      envFiles: [],
      read: (path) => files[path],
      ...own,
    },
    by,
  );
  const tenant = manifests.at(-1) as { readonly spec: Spec } | undefined;
  return {
    spec: tenant?.spec,
    manifests,
    notes: notes.map(({ kind, from, text }) => `${kind} ${from}: ${text}`),
  };
}

/** The container that a service `app` with these keys is, without its name and image. */
export function container(keys: string, more = ''): Readonly<Record<string, unknown>> {
  const { spec, notes } = converted(service(keys, more));
  const { name, image, ...said } = spec?.containers[0] ?? {};
  if (name !== 'app' || image !== 'reg.example/app:1')
    throw new Error(`no container app: ${notes.join('; ')}`);
  return said;
}

/** A file with a service `app` of these keys; `more` stands beside `services`. */
export function service(keys: string, more = ''): string {
  const indented = keys
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return `services:\n  app:\n    image: reg.example/app:1\n    restart: always\n${indented}\n${more}`;
}
