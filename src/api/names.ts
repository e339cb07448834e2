/** Names on the wire that other programs rely on. */

export const group = 'landlord.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kind = 'Tenant';
export const plural = 'tenants';

/** Holds a deleted Tenant until its provider was seen to hold nothing of it. */
export const finalizer = 'landlord.dev/compute';

/** Keys of labels and annotations that choose the provider, first hit wins. */
export const providerKeys = [
  'landlord.dev/compute-provider',
  'compute_provider',
  'compute_provider_type',
] as const;

/** Key of the label or annotation that chooses one of a provider's engines, where the spec does not. */
export const engineKey = 'landlord.dev/engine';

/** Key of the label in `status.selector`; nothing bears it. */
export const tenantIdLabel = 'landlord.dev/tenant-id';

/** Annotation; its value is the digest of the plan (status.plan) that is consented to. */
export const approve = 'landlord.dev/approve';

/** Annotation; its value names a place that can't be reached any more, as the status' message does: it is given up. */
export const abandon = 'landlord.dev/abandon';

/** Annotation; each new value asks for one reconcile, a rejected spec included. */
export const reconcileRequestedAt = 'landlord.dev/reconcile-requested-at';
