import { providerDefinitions } from '../../src/compute/registry.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { ContractCase } from './provider-contract.ts';

/** Every entry of the registry, by itself: a provider whose tests bring no harness fails here. */
for (const definition of providerDefinitions) {
  const harness = `../compute/providers/${definition.name}/contract-harness.ts`;
  const { contractCases } = (await import(harness)) as { readonly contractCases: readonly ContractCase[] };
  for (const { name, makeHarness } of contractCases) describeProviderContract(name, definition, makeHarness);
}
