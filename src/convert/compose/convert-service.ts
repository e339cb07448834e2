import { Unsayable, item, note, placed, sayable } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { entryOf } from '../read/scalars.ts';
import type { Spot } from './project.ts';
import { dockerRows } from './rows/docker.ts';
import { environmentRows } from './rows/environment.ts';
import { fileRows } from './rows/files.ts';
import { healthRows } from './rows/health.ts';
import { lifecycleRows, restart } from './rows/lifecycle.ts';
import { portRows } from './rows/ports.ts';
import { processRows } from './rows/process.ts';
import { pids, resourceRows } from './rows/resources.ts';
import { siblingJoined } from './rows/row.ts';
import type { Row } from './rows/row.ts';
import { volumeRows } from './rows/volumes.ts';
import { unsaid, withoutLoss } from './rows/without-loss.ts';

/** A key of a service, and how a Tenant says it, in the order of what is printed. */
const rows: Readonly<Record<string, Row>> = {
  ...processRows,
  ...environmentRows,
  ...portRows,
  ...volumeRows,
  ...fileRows,
  ...healthRows,
  ...resourceRows,
  ...lifecycleRows,
  ...dockerRows,
  pids_limit: pids,
  build,
};

/** Keys that others read. */
const readElsewhere = new Set(['restart', 'links', 'pull_policy', 'profiles', 'extends']);

/** Keys that are of a network, and so of the service whose network it is. */
const ofTheNetwork = new Set(['ports', 'networks', 'hostname', 'dns', 'extra_hosts']);

/** All that one service says. */
export function convertService(spot: Spot): readonly Finding[] {
  const { keys, from } = spot;
  const at = (key: string): Spot => ({ ...spot, from: `${from}.${key}` });
  const joined = siblingJoined(keys['network_mode'], spot.project);
  const known = Object.keys(rows)
    .filter((key) => isSaid(keys[key]) || (key === 'entrypoint' && keys[key] === ''))
    .flatMap((key) =>
      joined !== undefined && ofTheNetwork.has(key)
        ? [note('dropped', `${from}.${key}`, `no engine takes it in the network of ${joined}: say it there`)]
        : sayable(`${from}.${key}`, () => rows[key]?.(keys[key], at(key)) ?? []),
    );
  const others = Object.keys(keys).filter(
    (key) =>
      isSaid(keys[key]) && !Object.hasOwn(rows, key) && !readElsewhere.has(key) && !key.startsWith('x-'),
  );
  return [
    placed(['containers', item(spot.container), 'name'], spot.container, from),
    ...known,
    ...sayable(`${from}.restart`, () => restart(at('restart'))),
    ...(spot.service === spot.container
      ? []
      : [note('changed', from, `its container is called ${spot.container}`)]),
    ...others.map((key) => unplaced(key, `${from}.${key}`)),
  ];
}

/** `key:` with nothing behind it says nothing. */
function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function build(_value: unknown, spot: Spot): readonly Finding[] {
  if (spot.keys['image'] === undefined)
    throw new Unsayable('images are not built here: build it, push it, and name it as image', 'refused');
  return [note('dropped', spot.from, 'images are not built here: it must be in the registry as image says')];
}

function unplaced(key: string, from: string): Finding {
  const why = entryOf(withoutLoss, key);
  if (why !== undefined) return note('changed', from, `left out: ${why}`);
  return unsaid.has(key)
    ? note('dropped', from, 'no field of a Tenant says it')
    : note('changed', from, 'left out: no key of compose');
}
