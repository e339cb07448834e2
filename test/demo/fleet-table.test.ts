import { describe, expect, test } from 'vitest';
import { age, cut, fleetTable, tenantLine } from '../../dev/demo/fleet-table.ts';
import { tenant } from './tenant.ts';

const nowMs = Date.parse('2026-01-01T00:02:05Z');
const wide = { nowMs, width: 200, maxRows: 50 };

describe('the table of the fleet', () => {
  test('has the columns of kubectl, aligned, and the message', () => {
    const lines = fleetTable(
      [tenant('acme'), tenant('a-longer-name', { ready: 'False', reason: 'Updating' })],
      wide,
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'NAME            READY   STATUS     PROVIDER   STATE     RUNNING   AGE    MESSAGE',
      'acme            True    Running    mock       running   1/1       2m5s   1/1 running and healthy',
      'a-longer-name   False   Updating   mock       running   1/1       2m5s   1/1 running and healthy',
    ]);
  });

  test('is never wider than the terminal', () => {
    const lines = fleetTable([tenant('acme')], { ...wide, width: 40 });
    expect(lines.map(({ text }) => text.length).every((length) => length <= 40)).toBe(true);
    expect(lines[1]?.text.endsWith('…')).toBe(true);
  });

  test('is never taller than the terminal, and says what it leaves out', () => {
    const lines = fleetTable([tenant('a'), tenant('b'), tenant('c')], { ...wide, maxRows: 1 });
    expect(lines.map(({ text }) => text.split(' ')[0])).toEqual(['NAME', 'a', '…']);
    expect(lines[2]?.text).toBe('… and 2 more');
  });

  test('tells by its tone what is well, under way, or in need of somebody', () => {
    const fleet = [
      tenant('a'),
      tenant('b', { ready: 'False', reason: 'Provisioning' }),
      tenant('c', { ready: 'False', reason: 'Unhealthy' }),
      tenant('d', { ready: 'False', reason: 'RolledBack', stalled: true }),
    ];
    const [, ...rows] = fleetTable(fleet, wide);
    expect(rows.map(({ tone }) => tone)).toEqual(['good', 'busy', 'bad', 'bad']);
  });

  test('shows a Tenant that has no status yet', () => {
    const { status: _status, ...fresh } = tenant('acme');
    expect(fleetTable([fresh], wide)[1]?.text).toMatch(/^acme +2m5s$/);
  });
});

test('one line of a Tenant changes only when the Tenant does', () => {
  expect(tenantLine(tenant('acme'))).toBe(tenantLine(tenant('acme')));
  expect(tenantLine(tenant('acme'))).not.toBe(tenantLine(tenant('acme', { reason: 'Suspended' })));
});

test('an age is written as kubectl does', () => {
  const minute = 60_000;
  expect([0, 42_000, 119_000, 2 * minute, 7 * minute + 5_000, 21 * minute, 180 * minute].map(age)).toEqual([
    '0s',
    '42s',
    '119s',
    '2m',
    '7m5s',
    '21m',
    '3h',
  ]);
});

test('a text is cut to what fits, and not where it fits', () => {
  expect([cut('abcdef', 6), cut('abcdef', 5)]).toEqual(['abcdef', 'abcd…']);
});
