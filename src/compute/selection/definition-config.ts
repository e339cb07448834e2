import { explainIssues } from '../../api/explain-issues.ts';
import { structuralSchema } from '../../api/crd/json-schema.ts';
import type { JsonSchema } from '../../api/crd/json-schema.ts';
import { unsettable } from '../../api/unsettable.ts';
import { ComputeError } from '../errors.ts';
import type { ProviderDefinition } from '../provider.ts';

/** What can be asked about any provider's compute_config. Everything comes from the schemas of its definition. */

type Config = Readonly<Record<string, unknown>>;

/** The config as its schema parses it. Throws ComputeError InvalidSpec, naming the path and what would mend it. */
export function validateConfig({ name, mergedBlock }: ProviderDefinition, config: Config): Config {
  const parsed = mergedBlock.safeParse(config);
  if (!parsed.success) {
    throw new ComputeError('InvalidSpec', explainIssues(parsed.error, `spec.computeConfig.${name}`));
  }
  return parsed.data as Config;
}

/** What a tenant may say, as the JSON schema that stands in the CRD. */
export function configSchema({ tenantBlock }: ProviderDefinition): JsonSchema {
  return structuralSchema(unsettable(tenantBlock));
}

/** What holds where a tenant says nothing: the keys of the operator's block that are the tenant's too. */
export function configDefaults({ sharedKeys }: ProviderDefinition, operatorBlock: Config): Config {
  return Object.fromEntries(
    sharedKeys.flatMap((key) => (key in operatorBlock ? [[key, operatorBlock[key]]] : [])),
  );
}
