import type { DockerOperatorBlock, DockerPolicy } from '../../config.ts';

/** The operator's registries whose credentials serve Tenants of this namespace. */
export function registriesFor(
  namespace: string,
  { block, policy }: { readonly block: DockerOperatorBlock; readonly policy: DockerPolicy },
): DockerOperatorBlock['registries'] {
  const entries = Object.entries(block.registries).filter(
    ([key, { namespaces }]) =>
      namespaces === undefined || namespaces.includes(namespace) || policy.allowed_registries.includes(key),
  );
  return Object.fromEntries(entries);
}
