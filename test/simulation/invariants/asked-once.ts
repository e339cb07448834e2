import { approve } from '../../../src/api/names.ts';
import type { TenantStatus } from '../../../src/api/status.ts';
import { isWorse } from '../../../src/compute/permit.ts';
import type { StoredTenant } from '../ledger.ts';
import { keyOfTenant } from '../truth.ts';
import type { Invariant } from './invariant.ts';

interface Approved {
  readonly plan: NonNullable<TenantStatus['plan']>;
  readonly atMs: number;
}

/** From when a plan was approved until it is carried out, given up or replaced by one that leads elsewhere. */
export const asksOnce: Invariant = {
  name: 'asksOnce',
  promise: 'who has approved a plan is not asked again for what is left of it',
  watch(world, broken) {
    const approvals = new Map<string, Approved>();
    const touchedMs = new Map<string, number>();
    const wasTouched = (key: string, sinceMs: number) =>
      Math.max(touchedMs.get(key) ?? 0, world.disturbedOnEcsMs.get(key) ?? 0) >= sinceMs;
    return {
      onEngineChange(_engine, { by, container }) {
        if (by === 'person' && container !== undefined) touchedMs.set(container.tenant, world.time.now());
      },
      onCommit({ user, collection, subresource, after }) {
        if (collection !== 'tenants' || after === undefined) return;
        const tenant = after as StoredTenant;
        const key = keyOfTenant(tenant);
        const plan = tenant.status?.plan;
        if (plan === undefined || (user === 'user' && subresource === 'status')) {
          approvals.delete(key);
          return;
        }
        if (plan.digest === tenant.metadata.annotations?.[approve]) {
          if (approvals.get(key)?.plan.digest !== plan.digest)
            approvals.set(key, { plan, atMs: world.time.now() });
          return;
        }
        const approved = approvals.get(key);
        if (approved === undefined || approved.plan.digest === plan.digest) return;
        approvals.delete(key);
        // What there is at another place, nobody has looked at before.
        if (approved.plan.changes.some(({ path }) => path === 'placement')) return;
        const isOther = approved.plan.target !== plan.target || isWorse(plan.effect, approved.plan.effect);
        if (isOther || wasTouched(key, approved.atMs)) return;
        const paths = plan.changes.map(({ path, actual }) => `${path} (${actual})`).join(', ');
        broken(`${key} asks for consent to ${paths}, after a plan that leads there was approved`);
      },
    };
  },
};
