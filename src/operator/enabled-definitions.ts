import type { ProviderDefinition } from '../compute/provider.ts';
import { providerDefinitions } from '../compute/registry.ts';
import type { OperatorConfig } from '../config/operator-config.ts';

export function enabledDefinitions({
  compute,
}: Pick<OperatorConfig, 'compute'>): readonly ProviderDefinition[] {
  return providerDefinitions.filter(({ name }) => compute[name] !== undefined);
}

/** Whether values of Secrets come to the operator at all. */
export function readsSecrets(config: Pick<OperatorConfig, 'compute'>): boolean {
  return enabledDefinitions(config).some(({ secrets }) => secrets === 'values');
}
