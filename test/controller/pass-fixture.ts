import type { Tenant } from '../../src/api/tenant.ts';
import type { Pass } from '../../src/controller/pass/pass.ts';
import type { ReconcileContext } from '../../src/controller/pass/reconcile-context.ts';
import { draftFrom } from '../../src/controller/pass/status-draft.ts';
import type { StatusDraft } from '../../src/controller/pass/status-draft.ts';
import type { ScriptedProvider } from './scripted-provider.ts';

export interface PassOptions {
  readonly tenant: Tenant;
  readonly draft?: Partial<StatusDraft>;
  readonly providers?: readonly ScriptedProvider[];
  readonly now?: Date;
  readonly unavailableSince?: ReconcileContext['unavailableSince'];
  readonly lastWrites?: ReconcileContext['lastWrites'];
}

/** A pass with what the steps at hand read; whatever else they ask for is not there. */
export function passOver(options: PassOptions): Pass {
  const { tenant, draft = {}, providers = [], now = new Date(0) } = options;
  const context: Partial<ReconcileContext> = {
    providers: new Map(providers.map(({ enabled }) => [enabled.definition.name, enabled])),
    unavailableSince: options.unavailableSince ?? new Map(),
    lastWrites: options.lastWrites ?? new Map(),
    now: () => now,
  };
  return {
    context: context as ReconcileContext,
    tenant,
    draft: { ...draftFrom(tenant.status), ...draft },
    signal: new AbortController().signal,
  };
}
