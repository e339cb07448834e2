import type { Tenant } from '../../src/api/tenant.ts';
import { draftFrom } from '../../src/controller/pass.ts';
import type { Pass, ReconcileDeps, StatusDraft } from '../../src/controller/pass.ts';
import type { TenantMemory } from '../../src/controller/tenant-memory.ts';
import { silentLogger } from '../cluster/silent-logger.ts';
import type { ScriptedProvider } from './scripted-provider.ts';

export interface PassOptions {
  readonly tenant: Tenant;
  readonly draft?: Partial<StatusDraft>;
  readonly providers?: readonly ScriptedProvider[];
  readonly now?: Date;
  readonly memory?: TenantMemory;
}

/** A pass with what the steps at hand read; whatever else they ask for is not there. */
export function passOver(options: PassOptions): Pass {
  const { tenant, draft = {}, providers = [], now = new Date(0), memory = {} } = options;
  const deps: Partial<ReconcileDeps> = {
    providers: new Map(providers.map(({ enabled }) => [enabled.definition.name, enabled])),
    now: () => now,
    mayRetain: () => true,
    ownedOn: ({ enabled }, signal) => enabled.provider.list(signal),
    logger: silentLogger,
  };
  return {
    deps: deps as ReconcileDeps,
    tenant,
    draft: { ...draftFrom(tenant.status), ...draft },
    memory,
    signal: new AbortController().signal,
  };
}
