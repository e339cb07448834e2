import { note, placed, sayable } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { bytes, dict, number } from '../../read/scalars.ts';
import { gpus } from './docker.ts';
import { ofContainer } from './row.ts';
import type { Row } from './row.ts';

export const resourceRows: Readonly<Record<string, Row>> = {
  mem_limit: (value, spot) => memory(value, spot),
  cpus: (value, spot) => cpu(value, spot),
  scale: replicas,
  deploy,
};

/** 0: no limit. */
function memory(value: unknown, spot: Spot): readonly Finding[] {
  const limit = bytes(value);
  return Number.parseFloat(limit) === 0 ? [] : [ofContainer(spot, ['resources', 'memory'], limit)];
}

function cpu(value: unknown, spot: Spot): readonly Finding[] {
  const cores = number(value);
  return cores === 0 ? [] : [ofContainer(spot, ['resources', 'cpu'], String(cores))];
}

function replicas(value: unknown, spot: Spot): readonly Finding[] {
  const count = number(value);
  if (count === 1) return [];
  return spot.project.services.size === 1
    ? [placed(['replicas'], count, spot.from)]
    : [
        note(
          'dropped',
          spot.from,
          `${count} of one container beside others: the replicas of a Tenant are of all together`,
        ),
      ];
}

/** What is of a swarm alone: compose itself takes no notice of it. */
const ofSwarm = new Set(['placement', 'update_config', 'rollback_config', 'endpoint_mode', 'labels', 'mode']);

function deploy(value: unknown, spot: Spot): readonly Finding[] {
  return Object.entries(dict(value)).flatMap(([key, part]) => {
    const inside = { ...spot, from: `${spot.from}.${key}` };
    if (key === 'replicas') return replicas(part, inside);
    if (key === 'resources') return resources(dict(part), inside);
    // It is read where `restart` is.
    if (key === 'restart_policy') return [];
    return [
      ofSwarm.has(key)
        ? note('changed', inside.from, 'left out: it is for a swarm')
        : note('dropped', inside.from, 'no field of a Tenant says it'),
    ];
  });
}

function resources(parts: Readonly<Record<string, unknown>>, spot: Spot): readonly Finding[] {
  const limits = dict(parts['limits']);
  const reserved = dict(parts['reservations']);
  const at = (below: string): Spot => ({ ...spot, from: `${spot.from}.${below}` });
  return [
    ...(limits['memory'] === undefined ? [] : memory(limits['memory'], at('limits.memory'))),
    ...(limits['cpus'] === undefined ? [] : cpu(limits['cpus'], at('limits.cpus'))),
    ...(limits['pids'] === undefined ? [] : pids(limits['pids'], at('limits.pids'))),
    ...Object.keys(reserved).flatMap((key) => {
      const inside = at(`reservations.${key}`);
      return key === 'devices'
        ? sayable(inside.from, () => gpus(reserved[key], inside))
        : [note('changed', inside.from, 'left out: what is reserved bounds nothing')];
    }),
  ];
}

/** -1 and 0: none. */
export function pids(value: unknown, spot: Spot): readonly Finding[] {
  const limit = number(value);
  const path = ['computeConfig', 'docker', 'pids_limit'];
  if (limit <= 0) return [note('changed', spot.from, "left out: the operator's bound holds")];
  return spot.project.services.size === 1
    ? [placed(path, limit, spot.from)]
    : [note('changed', spot.from, "left out: the operator's bound holds for each container")];
}
