import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { isProgressOnly } from '../../../src/controller/status/status-debounce.ts';
import { passOver } from '../pass-fixture.ts';
import { statusOf, tenantWith } from '../tenant-fixture.ts';

const plain = 'waiting for it to run and be healthy';
const pulling = statusOf('False', 'Provisioning', { message: 'Pulling app:1' });
const waiting = statusOf('False', 'Provisioning', { message: plain });
const updating = statusOf('False', 'Updating', { message: plain });
const nowMs = 1_700_000_000_000;

interface Moment {
  readonly before?: TenantStatus | undefined;
  readonly after?: TenantStatus;
  /** Milliseconds since the last write; undefined: none by this process. */
  readonly sinceMs?: number | undefined;
  readonly lookAgainAfterMs?: number | undefined;
}

function leftOut({ before = waiting, after = pulling, ...rest }: Moment): boolean {
  const sinceMs = 'sinceMs' in rest ? rest.sinceMs : 1000;
  const lookAgainAfterMs = 'lookAgainAfterMs' in rest ? rest.lookAgainAfterMs : 1000;
  const lastWrite = sinceMs === undefined ? undefined : { status: before, at: nowMs - sinceMs };
  const pass = passOver({ tenant: tenantWith(before), now: new Date(nowMs), memory: { lastWrite } });
  return isProgressOnly(pass, after, lookAgainAfterMs);
}

describe('a status', () => {
  test.each<[name: string, moment: Moment]>([
    ['that says how far a transition has come', {}],
    ['that says the same again', { before: pulling }],
    ['of an update on its way', { before: updating, after: updating }],
    ['right before the next look', { lookAgainAfterMs: 5000 }],
    ['right before it is too old', { sinceMs: 4999 }],
  ])('%s, soon after the last, is left out', (_name, moment) => {
    expect(leftOut(moment)).toBe(true);
  });

  test.each<[name: string, moment: Moment]>([
    ['after 5 s', { sinceMs: 5000 }],
    ['that no other one follows soon', { lookAgainAfterMs: 5001 }],
    ['that only a hint will follow', { lookAgainAfterMs: undefined }],
    ['where this process has written none', { sinceMs: undefined }],
    ['that takes back more than plain progress', { before: pulling, after: waiting }],
    ['with another reason', { before: waiting, after: updating }],
    ['that is Ready', { after: statusOf('True', 'Running') }],
    ['that was Ready', { before: statusOf('True', 'Running') }],
    ['that was Ready on its way', { before: statusOf('True', 'Provisioning') }],
    ['that is Unknown on its way', { after: statusOf('Unknown', 'Provisioning') }],
    ['of what is ill', { before: statusOf('False', 'Unhealthy'), after: statusOf('False', 'Unhealthy') }],
    ['of a new generation', { before: { ...waiting, observedGeneration: 1 } }],
    ['that is the first', { before: { observedGeneration: 2 } }],
  ])('%s is written', (_name, moment) => {
    expect(leftOut(moment)).toBe(false);
  });
});
