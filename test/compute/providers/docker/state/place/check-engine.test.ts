import { expect, test } from 'vitest';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { settings, tenantSpec } from '../../docker-fixture.ts';

const engines = { 'edge-1': { host: 'unix:///1' }, 'edge-2': { host: 'unix:///2' } };
const desired = (engine: string | undefined, block: object, policy: Record<string, unknown> = {}) =>
  desiredTenant(tenantSpec(engine === undefined ? {} : { engine }), settings({ engines, ...block }, policy));

test.each<[what: string, engine: string | undefined, block: object, policy?: Record<string, unknown>]>([
  ['none', undefined, {}, { allowed_engines: [] }],
  ['one of them', 'edge-2', {}],
  ['one that is allowed', 'edge-2', {}, { allowed_engines: ['edge-2'] }],
  ["the operator's default", 'edge-1', { engine: 'edge-1' }, { allowed_engines: [] }],
])('a tenant may ask for %s', (_what, engine, block, policy) => {
  expect(desired(engine, block, policy).tenantId).toBe('acme');
});

test.each<[what: string, engine: string, policy: Record<string, unknown>, code: string, message: RegExp]>([
  [
    'that there is not',
    'edge-3',
    {},
    'InvalidSpec',
    /landlord\.dev\/engine.* no engine "edge-3"; it has edge-1, edge-2$/,
  ],
  ['named as every object has one', 'constructor', {}, 'InvalidSpec', /no engine "constructor"/],
  [
    'that is not allowed, be it there or not',
    'edge-3',
    { allowed_engines: ['edge-2'] },
    'PolicyDenied',
    /policy\.docker\.allowed_engines: .* is edge-3\. Pick an allowed one \(edge-2\)/,
  ],
  [
    'where none is',
    'edge-1',
    { allowed_engines: [] },
    'PolicyDenied',
    /\(no other than that of compute\.docker\.host\)/,
  ],
])('an engine %s is refused', (_what, engine, policy, code, message) => {
  expect(() => desired(engine, {}, policy)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

test('the engine is no part of what a rollout would change', () => {
  const on = (engineName: string | undefined) =>
    desiredTenant(tenantSpec({ ...(engineName !== undefined && { engine: engineName }) }), {
      ...settings({ engines }),
      ...(engineName !== undefined && { engineName }),
    });
  expect(on('edge-1').specHash).toBe(on(undefined).specHash);
  expect(on('edge-1').placement).toEqual({ ...on(undefined).placement, engine: 'edge-1' });
});
