import type { Logger } from 'pino';
import type { TenantStatus } from '../../api/status.ts';
import type { tenantSpecSchema } from '../../api/tenant.ts';
import type { Tenant } from '../../api/tenant.ts';
import type { EnabledProviders } from '../../compute/selection/enabled-providers.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { Resource } from '../../kube/client/resource.ts';
import type { RepairBackoff } from '../repair-backoff.ts';
import type { SecretObject } from '../secrets/secret-reader.ts';
import type { TenantIndex } from '../tenant-index.ts';
import type { TenantWriter } from '../tenant-writer.ts';

/** What every pass works with; built once. */
export interface ReconcileContext {
  readonly specSchema: ReturnType<typeof tenantSpecSchema>;
  readonly providers: EnabledProviders;
  readonly writer: TenantWriter;
  readonly secrets: Resource<SecretObject>;
  /** Resolves once changes of Secrets are watched, so that none is missed after it was read. */
  readonly watchSecrets: () => Promise<void>;
  readonly index: TenantIndex;
  readonly tenantOf: (key: string) => Tenant | undefined;
  readonly events: EventRecorder;
  readonly repairs: RepairBackoff;
  /** Since when (Date.now()) each Ready tenant's engine could not be reached. */
  readonly unavailableSince: Map<string, number>;
  /** The status that this process has last written, or is writing, to each tenant, and when (Date.now()). */
  readonly lastWrites: Map<string, { readonly status: TenantStatus; readonly at: number }>;
  /** Has the key looked at again after `ms` at the latest. */
  readonly lookAgainWithin: (key: string, ms: number) => void;
  readonly logger: Logger;
  readonly now: () => Date;
}
