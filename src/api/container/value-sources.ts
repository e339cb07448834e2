import { z } from 'zod';
import { withRules } from '../rules.ts';
import type { MapKey } from '../rules.ts';

/** Where a container's values come from, besides its own spec: Secrets and ConfigMaps of its namespace. No transforms: see ../compute-fields.ts. */

/** The same names that Kubernetes takes for a container's environment. */
export const envKey: MapKey = {
  pattern: /^[-._a-zA-Z][-._a-zA-Z0-9]*$/,
  maxLength: 253,
  message: 'must be up to 253 letters, digits, "_", "-" or ".", not starting with a digit',
};
export const envName = z.string().min(1).max(envKey.maxLength).regex(envKey.pattern, envKey.message);

type Source = 'Secret' | 'ConfigMap';

export function nameOf(source: Source) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, `must be the name of a ${source}`);
}

export function keyIn(source: Source) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/, `must be a key of a ${source}`);
}

function keyRef(source: Source) {
  return z.strictObject({
    name: nameOf(source).describe(`Name of a ${source} in the tenant's own namespace.`),
    key: keyIn(source).describe(`Key in that ${source}.`),
  });
}

function reference(source: Source) {
  return z.strictObject({
    name: nameOf(source).describe(`Name of a ${source} in the tenant's own namespace.`),
  });
}

export const localSecretReference = z.strictObject({
  name: nameOf('Secret').describe(
    "Name of a kubernetes.io/dockerconfigjson Secret in the tenant's own namespace.",
  ),
});

export const valueFrom = withRules(
  z.strictObject({
    secretKeyRef: keyRef('Secret').optional().describe('The Secret key to read.'),
    configMapKeyRef: keyRef('ConfigMap').optional().describe('The ConfigMap key to read.'),
  }),
  [
    {
      rule: 'has(self.secretKeyRef) != has(self.configMapKeyRef)',
      message: 'must have exactly one of secretKeyRef and configMapKeyRef',
      holds: ({ secretKeyRef, configMapKeyRef }) =>
        (secretKeyRef === undefined) !== (configMapKeyRef === undefined),
    },
  ],
);

const envSource = withRules(
  z.strictObject({
    secretRef: reference('Secret')
      .optional()
      .describe('The Secret whose keys become variables. Not on ECS, which takes Secrets key by key.'),
    configMapRef: reference('ConfigMap')
      .optional()
      .describe('The ConfigMap whose keys become variables; binaryData is none.'),
    prefix: envName.optional().describe('What the name of each variable begins with. Default: nothing.'),
  }),
  [
    {
      rule: 'has(self.secretRef) != has(self.configMapRef)',
      message: 'must have exactly one of secretRef and configMapRef',
      holds: ({ secretRef, configMapRef }) => (secretRef === undefined) !== (configMapRef === undefined),
    },
  ],
);

export type EnvSource = z.output<typeof envSource>;

export const envFrom = z
  .array(envSource)
  .max(16)
  .optional()
  .describe(
    'Secrets and ConfigMaps whose keys all become environment variables. A later one goes before an earlier one, and env before ' +
      'all. Each key must be the name of a variable. A changed Secret or ConfigMap rolls the tenant.',
  );
