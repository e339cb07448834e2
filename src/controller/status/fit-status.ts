import { statusBounds } from '../../api/status.ts';
import type { ComputeStatusBlock, DriftItem, TenantStatus } from '../../api/status.ts';
import { truncateUtf8 } from '../../kube/client/truncate-utf8.ts';

/**
 * The status within its bounds: a longer list would be refused by the CRD with all that is written beside it, and a longer
 * message is none. Places and hashes are whole: they are for the operator itself.
 */
export function fitStatus(status: TenantStatus): TenantStatus {
  const { conditions, compute, rejected, plan, drift, retained, data, lost } = status;
  return {
    ...status,
    ...(conditions && { conditions: conditions.map(withFitMessage) }),
    ...(compute && { compute: fitCompute(compute) }),
    ...(rejected && { rejected: withFitMessage(rejected) }),
    ...(plan && { plan: { ...plan, changes: plan.changes.map(fitDrift) } }),
    ...(drift && { drift: drift.slice(0, statusBounds.drift).map(fitDrift) }),
    ...(retained && { retained: retained.slice(0, statusBounds.data) }),
    ...(data && { data: data.slice(0, statusBounds.data) }),
    ...(lost && { lost: lost.slice(-statusBounds.data) }),
  };
}

/** What an engine says of a tenant's containers may be as long as it likes. What is compared is compared like this. */
export function fitCompute<C extends ComputeStatusBlock | undefined>(compute: C): C {
  if (compute === undefined) return compute;
  const { containers, endpoints, resourceIds } = compute;
  return {
    ...compute,
    ...(containers && { containers: containers.slice(0, statusBounds.containers).map(fitContainer) }),
    ...(endpoints && { endpoints: endpoints.slice(0, statusBounds.endpoints) }),
    ...(resourceIds && {
      resourceIds: Object.fromEntries(Object.entries(resourceIds).slice(0, statusBounds.resourceIds)),
    }),
  };
}

type ContainerStatus = NonNullable<ComputeStatusBlock['containers']>[number];

function fitContainer(container: ContainerStatus): ContainerStatus {
  const { message, image } = container;
  return {
    ...container,
    ...(message !== undefined && { message: fitText(message) }),
    ...(image !== undefined && { image: fitText(image) }),
  };
}

export function fitDrift<T extends DriftItem>(item: T): T {
  const { path, desired, actual } = item;
  return { ...item, path: fitText(path), desired: fitText(desired), actual: fitText(actual) };
}

function withFitMessage<T extends { readonly message: string }>(told: T): T {
  return { ...told, message: fitText(told.message) };
}

function fitText(text: string): string {
  return truncateUtf8(text, statusBounds.message);
}
