import { z } from 'zod';

/** Where the persistent volumes of tenants are: directories of EFS, the operator's alone to say. */

/** Of a pattern, in this order; a directory names them in braces. */
const parts = ['namespace', 'name', 'volume'] as const;

/** A part of a path, or what a tenant's own names stand in for: those have no `/`, and none is `.` or `..`. */
const directory = /^(\/([A-Za-z0-9_][A-Za-z0-9_.-]*|\{(namespace|name|volume)\}))+$/;

const efsVolume = z
  .strictObject({
    file_system_id: z
      .string()
      .max(64)
      .regex(/^fs-[0-9a-f]+$/, 'must be the id of a file system such as fs-0123456789abcdef0')
      .describe('Id of the file system.'),
    root_directory: z
      .string()
      .max(512)
      .regex(
        directory,
        'must be a path such as /tenants/{namespace}/{name}/{volume}; the placeholders are {namespace}, {name} and {volume}',
      )
      .optional()
      .describe('Directory that is mounted. It must be there: nobody makes it.'),
    access_point_id: z
      .string()
      .max(64)
      .regex(/^fsap-[0-9a-f]+$/, 'must be the id of an access point such as fsap-0123456789abcdef0')
      .optional()
      .describe('Access point in place of a directory.'),
    iam: z
      .boolean()
      .default(false)
      .describe('Whether the task mounts it by its role, whose policy then says whether it may.'),
  })
  .refine(
    ({ root_directory: path, access_point_id: point }) => (path === undefined) !== (point === undefined),
    { message: 'must have exactly one of root_directory and access_point_id' },
  );

export type EfsVolume = z.output<typeof efsVolume>;

export const efsVolumesShape = {
  efs_volumes: z
    .record(z.string(), efsVolume)
    .default({})
    .superRefine((volumes, context) => {
      for (const [pattern, volume] of Object.entries(volumes)) {
        const message = patternFault(pattern, volume);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [pattern], message });
      }
    })
    .describe(
      'Where persistent volumes are found: pattern NAMESPACE/NAME/VOLUME, of a Tenant and a volume of it, to a directory or an ' +
        'access point of EFS. {namespace}, {name} and {volume} stand for those parts in root_directory; a pattern with `*` in a part ' +
        'must have that part in it.',
    ),
};

/** What is wrong with it, in words that follow its path. Undefined: nothing. */
function patternFault(pattern: string, { root_directory: path = '' }: EfsVolume): string | undefined {
  const patterns = pattern.split('/');
  if (patterns.length !== parts.length || patterns.includes(''))
    return 'must be a pattern NAMESPACE/NAME/VOLUME, each part a name or with `*` in it';
  const shared = parts.find(
    (part, index) => patterns[index]?.includes('*') === true && !path.includes(`{${part}}`),
  );
  if (shared === undefined) return undefined;
  return `has \`*\` in the part {${shared}}, which root_directory does not have: several tenants' volumes would be one. Put it in, or name one`;
}
