import { z } from 'zod';
import { dnsLabel } from '../bounded.ts';
import { quantity } from '../quantity-field.ts';
import { listMap, withRules } from '../rules.ts';
import type { Rule } from '../rules.ts';
import { keyIn, nameOf } from './value-sources.ts';

/** What containers have besides what is in their images: data, room in memory, and files. No transforms: see ../compute-fields.ts. */

/** As Kubernetes has it. */
export const defaultFileMode = 0o644;

const fileMode = z.int().min(0).max(0o777);

/** Below the volume: no part of it is `.` or `..`. */
const pathBelow = z
  .string()
  .max(512)
  .regex(
    /^(\.{0,2}[^./\p{Cc}][^/\p{Cc}]*|\.{3}[^/\p{Cc}]*)(\/(\.{0,2}[^./\p{Cc}][^/\p{Cc}]*|\.{3}[^/\p{Cc}]*))*$/u,
    'must be a relative path without . and .. in it',
  );

function filesOf(source: 'Secret' | 'ConfigMap') {
  const item = z.strictObject({
    key: keyIn(source).describe(`Key in that ${source}.`),
    path: pathBelow.describe('Path of its file in the volume.'),
    mode: fileMode.optional().describe('Mode bits of its file. Default: defaultMode.'),
  });
  return {
    items: listMap(z.array(item).max(64), ['path'])
      .optional()
      .describe('Keys that become files, and where. Default: each key, by its own name.'),
    defaultMode: fileMode
      .optional()
      .describe('Mode bits of each file, in JSON as a decimal number. Default: 0644 (420).'),
  };
}

const volume = withRules(
  z.strictObject({
    name: dnsLabel.describe('Name of the volume, unique within the tenant.'),
    persistent: z
      .strictObject({})
      .optional()
      .describe(
        'Data that outlives the containers; volumePolicy decides what becomes of it when the Tenant is deleted. On ECS, where the ' +
          'operator has a directory of EFS for it.',
      ),
    tmpfs: z
      .strictObject({ size: quantity.describe('Most bytes that it takes, such as 64Mi.') })
      .optional()
      .describe(
        'Memory, empty at each start; each container that mounts it has its own. On ECS not on Fargate.',
      ),
    configMap: z
      .strictObject({
        name: nameOf('ConfigMap').describe("Name of a ConfigMap in the tenant's own namespace."),
        ...filesOf('ConfigMap'),
      })
      .optional()
      .describe('Files of a ConfigMap, to be read alone. A changed ConfigMap rolls the tenant. Not on ECS.'),
    secret: z
      .strictObject({
        secretName: nameOf('Secret').describe("Name of a Secret in the tenant's own namespace."),
        ...filesOf('Secret'),
      })
      .optional()
      .describe('Files of a Secret, to be read alone. A changed Secret rolls the tenant. Not on ECS.'),
  }),
  [
    {
      rule: '[has(self.persistent), has(self.tmpfs), has(self.configMap), has(self.secret)].filter(one, one).size() == 1',
      message: 'must have exactly one of persistent, tmpfs, configMap and secret',
      holds: ({ persistent, tmpfs, configMap, secret }) =>
        [persistent, tmpfs, configMap, secret].filter((one) => one !== undefined).length === 1,
    },
  ],
);

export type Volume = z.output<typeof volume>;

export const volumes = listMap(z.array(volume).max(32), ['name'])
  .optional()
  .describe('What the containers may mount.');

const volumeMount = z.strictObject({
  name: dnsLabel.describe('Name of one of spec.volumes.'),
  mountPath: z
    .string()
    .max(1024)
    .regex(/^\/[^:\p{Cc}]*$/u, 'must be an absolute path without a colon')
    .describe('Where it is in the container. What the image has there is hidden by files and memory.'),
  subPath: pathBelow
    .optional()
    .describe(
      'The part of the volume that is mounted: a folder, made where it is not there, or one file of a ConfigMap or Secret. ' +
        'Needs Docker Engine 26 or newer. Not of tmpfs.',
    ),
  readOnly: z
    .boolean()
    .optional()
    .describe('true: the container can not write to it. Default: false; files are never written to.'),
});

export const volumeMounts = listMap(z.array(volumeMount).max(32), ['mountPath'])
  .optional()
  .describe('Volumes that it has, and where.');

interface Mounting {
  readonly volumes?: readonly { readonly name: string }[] | undefined;
  readonly containers?:
    readonly { readonly volumeMounts?: readonly { readonly name: string }[] | undefined }[] | undefined;
}

/** Of a whole spec. */
export const mountRules: readonly Rule<Mounting>[] = [
  {
    rule:
      '!has(self.containers) || self.containers.all(c, !has(c.volumeMounts) || ' +
      'c.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name)))',
    message: 'must mount nothing but what spec.volumes names',
    fieldPath: '.containers',
    holds({ containers = [], volumes: named = [] }) {
      const names = new Set(named.map(({ name }) => name));
      return containers.every(({ volumeMounts: mounts = [] }) => mounts.every(({ name }) => names.has(name)));
    },
  },
];
