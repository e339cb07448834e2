import type { TenantSpec } from '../../api/tenant.ts';
import { resolvedImages } from '../../compute/spec/resolved-images.ts';
import type { EnabledReads } from '../../compute/selection/enabled-providers.ts';
import type { TenantComputeSpec } from '../../compute/spec/tenant-compute-spec.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { note, requestedAt } from '../pass.ts';
import type { Pass } from '../pass.ts';

/** A hint comes with the answer; this is for when nobody hears it. */
const askedLookMs = 30_000;

/**
 * The spec with what the tags of its images mean, where that is to be looked up: once for each generation and each requested
 * reconcile. The status remembers it, so that a tag that moves later changes nothing. Undefined: a registry is still asked.
 */
export async function withDigests(
  pass: Pass,
  { imagePullPolicy }: Pick<TenantSpec, 'imagePullPolicy'>,
  { enabled, spec }: { readonly enabled: EnabledReads; readonly spec: TenantComputeSpec },
): Promise<TenantComputeSpec | undefined> {
  const { draft, tenant, deps, signal } = pass;
  if (imagePullPolicy !== 'Always') {
    note(pass, { images: undefined });
    return spec;
  }
  const occasion = occasionOf(pass);
  if (draft.images !== undefined && hasDigests(pass)) {
    const known = draft.images.digests.map(({ image, digest }) => [image, digest] as const);
    return { ...spec, digests: Object.fromEntries(known) };
  }
  const digests = await resolvedImages(enabled.provider, spec, signal);
  if (digests === 'asking') {
    deps.lookAgainWithin(keyOf(tenant), askedLookMs);
    return undefined;
  }
  pass.hasNewImages = true;
  const all = Object.entries(digests).map(([image, digest]) => ({ image, digest }));
  note(pass, { images: { for: occasion, digests: all.toSorted((a, b) => (a.image < b.image ? -1 : 1)) } });
  return { ...spec, digests };
}

/** Whether they were looked up for what is asked for now: nobody need ask a registry. */
export function hasDigests(pass: Pick<Pass, 'draft' | 'tenant'>): boolean {
  return pass.draft.images?.for === occasionOf(pass);
}

function occasionOf(pass: Pick<Pass, 'tenant'>): string {
  return `${pass.tenant.metadata.generation} ${requestedAt(pass) ?? ''}`.trim();
}
