import type { Container } from '../../api/compute-fields.ts';
import { envKey } from '../../api/container/value-sources.ts';
import type { EnvSource } from '../../api/container/value-sources.ts';
import { ComputeError } from '../../compute/errors.ts';
import { UnreadSecret } from '../../compute/spec/secret-value.ts';
import type { EnvVar } from '../../compute/spec/tenant-compute-spec.ts';
import type { ConfigMapReader } from './config-map-reader.ts';
import type { SecretReader } from './secret-reader.ts';

export interface EnvSources {
  /** Name of the provider that gets them. */
  readonly provider: string;
  /** Undefined: the engine reads them itself, by reference. */
  readonly secrets: SecretReader | undefined;
  readonly configMaps: ConfigMapReader;
}

type NamedContainer = Pick<Container, 'name' | 'env' | 'envFrom'>;

/** What a process is given must fit into a quarter of its stack: Linux gives it 2 MiB, with arguments and pointers. */
const mostCharacters = 1_048_576;

/**
 * A container's environment with all values: those of envFrom, of which a later one goes before an earlier one, and over
 * these its own. Rejects as the readers do, and with ComputeError InvalidSpec.
 */
export async function resolveEnv(container: NamedContainer, sources: EnvSources): Promise<EnvVar[]> {
  const { name, env = [], envFrom = [] } = container;
  const found = new Map<string, EnvVar>();
  for (const [index, source] of envFrom.entries()) {
    const path = `spec.containers: container ${name}: envFrom[${index}]`;
    for (const variable of await sourceVariables(source, path, sources)) found.set(variable.name, variable);
  }
  for (const variable of env) found.set(variable.name, await ownVariable(variable, sources));
  const resolved = [...found.values()];
  assertProcessTakes(name, resolved);
  return resolved;
}

async function sourceVariables(
  { secretRef, configMapRef, prefix = '' }: EnvSource,
  path: string,
  { provider, secrets, configMaps }: EnvSources,
): Promise<EnvVar[]> {
  if (configMapRef !== undefined) {
    const values = [...(await configMaps.values(configMapRef.name))];
    const variables = values.map(([key, value]) => ({ name: `${prefix}${key}`, value }));
    return named(variables, `${path}: ConfigMap ${configMapRef.name}`);
  }
  // The schema has one of the two.
  const { name = '' } = secretRef ?? {};
  if (secrets === undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `${path}.secretRef: the provider ${provider} takes Secrets by reference, key by key. Name each key of ${name} in env, by valueFrom.secretKeyRef`,
    );
  }
  const values = [...(await secrets.values(name))];
  const variables = values.map(([key, secret]) => ({
    name: `${prefix}${key}`,
    secretKeyRef: { name, key },
    secret,
  }));
  return named(variables, `${path}: Secret ${name}`);
}

/** Throws InvalidSpec, with the first names that are none. */
function named<T extends { readonly name: string }>(variables: readonly T[], where: string): T[] {
  const wrong = variables
    .map(({ name }) => name)
    .filter((name) => name.length > envKey.maxLength || !envKey.pattern.test(name));
  if (wrong.length === 0) return [...variables];
  const shown = wrong.slice(0, 3).map((name) => name.slice(0, 64));
  const more = wrong.length > shown.length ? ` and ${wrong.length - shown.length} more` : '';
  throw new ComputeError(
    'InvalidSpec',
    `${where}: ${shown.join(', ')}${more} can't be the name of a variable, which ${envKey.message}. ` +
      'Rename the key, or give a prefix',
  );
}

async function ownVariable(
  { name, value, valueFrom }: NonNullable<Container['env']>[number],
  { secrets, configMaps }: EnvSources,
): Promise<EnvVar> {
  const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
  if (configMapKeyRef !== undefined)
    return { name, value: await configMaps.value(configMapKeyRef.name, configMapKeyRef.key) };
  if (secretKeyRef === undefined) return { name, value: value ?? '' };
  const secret = await secrets?.value(secretKeyRef.name, secretKeyRef.key);
  return secret === undefined ? { name, secretKeyRef } : { name, secretKeyRef, secret };
}

function assertProcessTakes(container: string, variables: readonly EnvVar[]): void {
  const where = `spec.containers: container ${container}:`;
  const values = variables.map((variable) => ({ name: variable.name, value: valueOf(variable) }));
  const cut = values.find(({ value }) => value.includes('\0'));
  if (cut !== undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `${where} variable ${cut.name}: its value contains NUL, where it would end. Mount it as a file`,
    );
  }
  const total = values.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  if (total <= mostCharacters) return;
  throw new ComputeError(
    'InvalidSpec',
    `${where} its environment has ${total} characters, must have at most ${mostCharacters}`,
  );
}

function valueOf(variable: EnvVar): string {
  if ('value' in variable) return variable.value;
  // What was not read has fitted before.
  return variable.secret === undefined || variable.secret instanceof UnreadSecret
    ? ''
    : variable.secret.reveal();
}
