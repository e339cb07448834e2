import type { TenantComputeSpec } from './tenant-compute-spec.ts';

/** What tags mean, by image; `asking`: it is not known yet, and the tenant is hinted at once it is. */
export type ResolvedImages = Readonly<Record<string, string>> | 'asking';

/** None where the provider does not look it up. See `Provider.resolveImages`. */
export async function resolvedImages(
  provider: { resolveImages?(spec: TenantComputeSpec, signal: AbortSignal): Promise<ResolvedImages> },
  spec: TenantComputeSpec,
  signal: AbortSignal,
): Promise<ResolvedImages> {
  return (await provider.resolveImages?.(spec, signal)) ?? {};
}
