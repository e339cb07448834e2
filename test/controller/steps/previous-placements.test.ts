import { describe, expect, test } from 'vitest';
import type { Endpoint, TenantStatus } from '../../../src/api/status.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import type { Outcome } from '../../../src/controller/pass.ts';
import {
  leavePreviousPlacements,
  mergeEndpoints,
} from '../../../src/controller/steps/previous-placements.ts';
import { passOver } from '../pass-fixture.ts';
import { changesIn, scriptedProvider } from '../scripted-provider.ts';
import { running, statusOf, tenantWith } from '../tenant-fixture.ts';

const at = (port: number, address = '127.0.0.1'): Endpoint => ({ name: 'http', type: 'tcp', address, port });
const oldPlace = { provider: 'docker', place: 'old' };
const ready: Outcome = { verdict: { kind: 'ready', message: '1/1 running and healthy' }, repaired: [] };
const underWay: Outcome = {
  verdict: { kind: 'progressing', reason: 'Updating', message: 'm', underWay: true },
  repaired: [],
};
const nowMs = 1_700_000_000_000;

interface Moment {
  readonly previousPlacements?: readonly (typeof oldPlace)[];
  /** Endpoints of the new place, and of the status as it was last written. */
  readonly endpoints?: Endpoint[];
  readonly shown?: Endpoint[];
  /** How long the status has named these; it was written just now. */
  readonly sinceShownMs?: number;
  /** Endpoints at the old place; null: nothing is there. */
  readonly old?: Endpoint[] | null;
  readonly observed?: boolean;
}

function moveIn({ previousPlacements = [oldPlace], sinceShownMs = 5000, observed = true, ...rest }: Moment) {
  const { endpoints, shown, old = [at(1)] } = rest;
  const docker = scriptedProvider('docker');
  if (old !== null) {
    docker.workloads.set('team-a-acme-9201d5e7@docker/old', {
      specHash: '',
      drift: [],
      shows: {},
      endpoints: old,
    });
  }
  const status: TenantStatus = statusOf('True', 'Running', {
    compute: { ...running, ...(shown === undefined ? {} : { endpoints: shown }) },
  });
  const pass = passOver({
    tenant: tenantWith(status),
    draft: {
      previousPlacements,
      compute: observed ? { ...running, ...(endpoints === undefined ? {} : { endpoints }) } : undefined,
    },
    providers: [docker],
    now: new Date(nowMs),
    memory: { endpointsSince: nowMs - sinceShownMs, lastWrite: { status, at: nowMs } },
  });
  return { docker, pass };
}

describe('the old place of a move', () => {
  test('is not asked for where there is none', async () => {
    const { docker, pass } = moveIn({ previousPlacements: [] });
    expect(await leavePreviousPlacements(pass, ready)).toBe(ready);
    expect(docker.calls).toEqual([]);
  });

  test('stays, and answers in the status, until the new one is Ready', async () => {
    const { docker, pass } = moveIn({ endpoints: [at(2)] });
    expect(await leavePreviousPlacements(pass, underWay)).toBe(underWay);
    expect(changesIn(docker.calls)).toEqual([]);
    expect(pass.draft.compute?.endpoints).toEqual([at(2), at(1)]);
    expect(pass.draft.previousPlacements).toEqual([oldPlace]);
  });

  test.each<[name: string, moment: Moment]>([
    ['the status has not named the new endpoint', { endpoints: [at(2)], shown: [at(1)] }],
    ['the status has named none', { endpoints: [at(2)] }],
    ['the status has named one of two', { endpoints: [at(2), at(3)], shown: [at(2), at(1)] }],
    ['the status names the port elsewhere', { endpoints: [at(2)], shown: [at(2, '10.0.0.1')] }],
    ['the status names it for less than a second', { endpoints: [at(2)], shown: [at(2)], sinceShownMs: 999 }],
  ])('stays while %s', async (_name, moment) => {
    const { docker, pass } = moveIn(moment);
    expect(await leavePreviousPlacements(pass, ready)).toEqual({
      ...ready,
      verdict: { ...ready.verdict, pending: 'the new place is Ready; what is left at the old one goes next' },
      lookAgainAfterMs: 1000,
    });
    expect(changesIn(docker.calls)).toEqual([]);
    expect(pass.draft.compute?.endpoints).toContainEqual(at(1));
    expect(pass.draft.previousPlacements).toEqual([oldPlace]);
  });

  test.each<[name: string, moment: Moment]>([
    [
      'the status has named the new endpoint for a second',
      { endpoints: [at(2)], shown: [at(1), at(2)], sinceShownMs: 1000 },
    ],
    ['the new place has no endpoints', { shown: [at(1)], sinceShownMs: 0 }],
  ])('is emptied once %s', async (_name, moment) => {
    const { docker, pass } = moveIn(moment);
    expect(await leavePreviousPlacements(pass, ready)).toBe(ready);
    expect(changesIn(docker.calls)).toEqual(['destroy team-a-acme-9201d5e7@docker/old']);
    expect(pass.draft.previousPlacements).toEqual([]);
    expect(pass.draft.compute?.endpoints).toEqual(moment.endpoints);
  });

  test.each<[name: string, steps: number | undefined, own: number | undefined, lookAgainAfterMs: number]>([
    ['when it asks for it', 400, undefined, 400],
    ['when the new place asks for it sooner', 400, 300, 300],
    ['when it asks for it sooner', 200, 300, 200],
    ['after 10 s', undefined, undefined, 10_000],
  ])('that takes time to go is looked at %s', async (_name, lookAgainAfterMs, own, expected) => {
    const { docker, pass } = moveIn({});
    docker.destroys.push({
      outcome: 'in_progress',
      message: 'draining',
      ...(lookAgainAfterMs === undefined ? {} : { lookAgainAfterMs }),
    });
    expect(await leavePreviousPlacements(pass, { ...ready, lookAgainAfterMs: own })).toEqual({
      ...ready,
      verdict: { ...ready.verdict, pending: 'removing what is left on docker: draining' },
      lookAgainAfterMs: expected,
    });
    expect(pass.draft.previousPlacements).toEqual([oldPlace]);
  });

  test.each<[name: string, moment: Moment]>([
    ['holds nothing with endpoints', { old: [], endpoints: undefined as unknown as Endpoint[] }],
    [
      'belongs to a provider that is no longer enabled',
      { previousPlacements: [{ provider: 'ecs', place: 'old' }] },
    ],
    ['has a twin that was not observed', { observed: false }],
  ])('that %s changes nothing in the status', async (_name, moment) => {
    const { pass } = moveIn(moment);
    const before = pass.draft.compute;
    await leavePreviousPlacements(pass, underWay);
    expect(pass.draft.compute).toEqual(before);
    expect(pass.draft.compute ?? {}).not.toHaveProperty('endpoints');
  });

  test('that can not be reached holds nobody up', async () => {
    const { docker, pass } = moveIn({ endpoints: [at(2)] });
    docker.failures.set('getStatus', new ComputeError('ProviderUnavailable', 'no answer'));
    await leavePreviousPlacements(pass, underWay);
    expect(pass.draft.compute?.endpoints).toEqual([at(2)]);
  });

  test('lets a defect of its provider through', async () => {
    const { docker, pass } = moveIn({});
    docker.failures.set('getStatus', new TypeError('x is not a function'));
    await expect(leavePreviousPlacements(pass, underWay)).rejects.toThrow(TypeError);
  });
});

test("the endpoints of a move's old place stand behind those of the new one", () => {
  expect(mergeEndpoints([at(1)], [at(2)])).toEqual([at(1), at(2)]);
  expect(mergeEndpoints(undefined, [at(2)])).toEqual([at(2)]);
  expect(mergeEndpoints([at(1)], undefined)).toEqual([at(1)]);
});
