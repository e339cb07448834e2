import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';

/** Tenants as `kubectl get tenants` shows them, with the message of `-o wide` as far as there is room. Pure. */

const header = ['NAME', 'READY', 'STATUS', 'PROVIDER', 'STATE', 'RUNNING', 'AGE', 'MESSAGE'] as const;
const gap = '   ';

export type Tone = 'good' | 'bad' | 'busy' | 'plain';

export interface TableLine {
  readonly text: string;
  readonly tone: Tone;
}

/** At most `maxRows` Tenants, no line longer than `width`. */
export function fleetTable(
  tenants: readonly Tenant[],
  options: { readonly nowMs: number; readonly width: number; readonly maxRows: number },
): TableLine[] {
  const { nowMs, width, maxRows } = options;
  const shown = tenants.slice(0, maxRows);
  const rows = shown.map((tenant) => tenantCells(tenant, nowMs));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const text = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(gap);
    return cut(text.trimEnd(), width);
  };
  const hidden = tenants.length - shown.length;
  return [
    { text: line(header), tone: 'plain' },
    ...shown.map((tenant, row) => ({ text: line(rows[row] ?? []), tone: toneOf(tenant) })),
    ...(hidden > 0 ? [{ text: cut(`… and ${hidden} more`, width), tone: 'plain' as const }] : []),
  ];
}

/** One Tenant on one line, for places where nothing can be redrawn. Without its age it only differs when it changes. */
export function tenantLine(tenant: Tenant): string {
  const [name = '', ready = '', status = '', provider = '', state = '', running = '', , message = ''] =
    tenantCells(tenant, 0);
  return [
    name.padEnd(14),
    ready.padEnd(7),
    status.padEnd(16),
    provider.padEnd(8),
    state.padEnd(8),
    running.padEnd(3),
    message,
  ]
    .join(' ')
    .trimEnd();
}

function tenantCells({ metadata, status }: Tenant, nowMs: number): string[] {
  const ready = findCondition(status?.conditions, 'Ready');
  return [
    metadata.name,
    ready?.status ?? '',
    ready?.reason ?? '',
    status?.computeProvider ?? '',
    status?.compute?.state ?? '',
    status?.compute?.replicas ?? '',
    age(nowMs - Date.parse(metadata.creationTimestamp)),
    ready?.message ?? '',
  ];
}

function toneOf({ status }: Tenant): Tone {
  const is = (type: 'Ready' | 'Stalled'): boolean =>
    findCondition(status?.conditions, type)?.status === 'True';
  if (is('Stalled')) return 'bad';
  if (is('Ready')) return 'good';
  return findCondition(status?.conditions, 'Ready')?.reason === 'Unhealthy' ? 'bad' : 'busy';
}

/** As kubectl writes it: 42s, 7m5s, 21m, 3h. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  return minutes < 180 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`;
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
