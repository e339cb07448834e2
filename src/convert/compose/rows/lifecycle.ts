import { Unsayable, item, note } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { bool, dict, entryOf, isDict, list, text, texts, wordOf } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { ofContainer, siblingJoined } from './row.ts';
import type { Row } from './row.ts';

export const lifecycleRows: Readonly<Record<string, Row>> = { depends_on: dependsOn };

const conditions: Readonly<Record<string, string>> = {
  service_started: 'Started',
  service_healthy: 'Healthy',
  service_completed_successfully: 'Completed',
};

function dependsOn(value: unknown, spot: Spot): readonly Finding[] {
  const wishes = isDict(value)
    ? Object.entries(value).map(([service, how]) => [service, dict(how)] as const)
    : texts(value).map((service) => [service, dict(null)] as const);
  return wishes.flatMap(([service, how]) =>
    dependency(service, how, { ...spot, from: `${spot.from}.${service}` }),
  );
}

function dependency(service: string, how: Dict, spot: Spot): readonly Finding[] {
  const container = spot.project.containers.get(service);
  if (container === undefined) {
    const isWanted = bool(how['required'] ?? 'true') && !Object.hasOwn(spot.project.all, service);
    const text = `left out: ${service} does not run here`;
    return [note(isWanted ? 'dropped' : 'changed', spot.from, text)];
  }
  const word = how['condition'] === undefined ? 'service_started' : text(how['condition']);
  const condition = entryOf(conditions, word);
  if (condition === undefined) throw new Unsayable(`${word} is no condition`);
  return [
    ofContainer(spot, ['dependsOn', item(container)], { container, condition }),
    ...(bool(how['restart'] ?? 'false')
      ? [note('changed', spot.from, 'restart: a rollout brings both')]
      : []),
  ];
}

const policies: Readonly<Record<string, string>> = {
  always: 'Always',
  'unless-stopped': 'Always',
  any: 'Always',
  'on-failure': 'OnFailure',
  no: 'Never',
  none: 'Never',
  false: 'Never',
};

/** What follows when a container ends, be it said or not. */
export function restart(spot: Spot): readonly Finding[] {
  const said = spot.keys['restart'] ?? dict(dict(spot.keys['deploy'])['restart_policy'])['condition'];
  if (said === undefined || said === null || said === '') return unsaid(spot);
  const [word = '', attempts] = text(said).split(':');
  const policy = entryOf(policies, word);
  if (policy === undefined) throw new Unsayable(`${word} is no restart policy`);
  const bound =
    attempts === undefined
      ? []
      : [note('changed', spot.from, `after ${attempts} failures too, with longer and longer pauses`)];
  if (policy === 'Always' && isAwaited(spot))
    return [
      ofContainer(spot, ['restartPolicy'], 'OnFailure'),
      note(
        'changed',
        spot.from,
        'others wait until it has completed, so it is a job, which ends once it does well',
      ),
    ];
  // Whoever is run to its end is a job here, and is replaced as one.
  if (policy !== 'Always' && isServer(spot)) return kept(spot);
  return [ofContainer(spot, ['restartPolicy'], policy), ...bound];
}

/** Compose starts nothing again where nothing is said; a Tenant is kept running, unless it is a job. */
function unsaid(spot: Spot): readonly Finding[] {
  if (isServer(spot)) return kept(spot);
  return [
    ofContainer(spot, ['restartPolicy'], 'Never'),
    note('changed', spot.from, 'nothing tells that it serves something: it is a job, which runs once'),
  ];
}

function kept(spot: Spot): readonly Finding[] {
  return [note('changed', spot.from, 'it is a server, so it is started again whenever it ends')];
}

/** By what it or others say: who publishes, is checked or waited for, and not until it has ended, does not end by itself. */
function isServer(spot: Spot): boolean {
  if (isAwaited(spot)) return false;
  const isAsked = waitsFor(spot).some((condition) => condition !== undefined);
  return isAsked || ['ports', 'expose', 'healthcheck'].some((key) => list(spot.keys[key]).length > 0);
}

/** Until it has come to its end. */
function isAwaited(spot: Spot): boolean {
  return waitsFor(spot).includes('service_completed_successfully');
}

function waitsFor({ service, project }: Spot): readonly (string | undefined)[] {
  return [...project.services.values()].map((other) => waitFor(service, other, project));
}

function waitFor(
  service: string,
  { depends_on: value, links, network_mode: mode }: Dict,
  project: Spot['project'],
): string | undefined {
  if (isDict(value) && service in value)
    return wordOf(dict(value[service]), 'condition') || 'service_started';
  const named = [...(isDict(value) ? [] : list(value)), ...list(links)].map(
    (one) => String(one).split(':')[0],
  );
  const isNeeded = named.includes(service) || siblingJoined(mode, project) === service;
  return isNeeded ? 'service_started' : undefined;
}
