import type { TenantSpecSchema } from '../../api/tenant.ts';
import { convertProject } from '../../convert/compose/convert-compose.ts';
import type { Conversion } from '../../convert/conversion.ts';
import { note } from '../../convert/finding.ts';
import type { Note } from '../../convert/finding.ts';
import { dict, entryOf } from '../../convert/read/scalars.ts';
import type { Dict } from '../../convert/read/scalars.ts';
import { configRows, programOf } from './config-rows.ts';
import type { Row, Said } from './config-rows.ts';
import type { At, Found } from './found.ts';
import { hostRows } from './host-rows.ts';
import { mountsOf, volumesOf } from './mounts.ts';
import { networksOf, networksSaid } from './networks.ts';
import { composeLabel, isUnset, texted, within } from './plain.ts';

/**
 * Containers that an engine runs as the Tenant `name`: as the services of a compose file that would have made them, which has
 * words for nearly all that an engine knows.
 */
export function importDocker(name: string, found: Found, schema: TenantSpecSchema): Conversion {
  const services = [...found.containers].map(
    ([service, container]) => [service, serviceOf({ ...container, service, found })] as const,
  );
  const document = {
    name,
    services: Object.fromEntries(services.map(([service, { keys }]) => [service, keys])),
    networks: networksSaid(found),
    volumes: volumesOf(found.volumes),
  };
  const notes = services.flatMap(([, { notes: own }]) => own);
  const stays = note(
    'changed',
    'services',
    'what runs now stays until it is removed: fixed ports of the host are its own until then',
  );
  const refused = notes.filter(({ kind }) => kind === 'refused');
  if (refused.length > 0) return { manifests: [], notes: refused };
  return convertProject(dict(texted(document)), [...notes, stays], schema);
}

function serviceOf(at: At): Said {
  const { shown, service, name, count } = at;
  const parts = [
    ...rowsOf(within(shown, 'Config'), configRows, `services.${service}.Config`, at),
    ...rowsOf(within(shown, 'HostConfig'), hostRows, `services.${service}.HostConfig`, at),
    mountsOf(at),
    networksOf(at),
  ];
  const isRunning = within(shown, 'State')['Running'] === true;
  const keys: Dict = {
    ...programOf(at),
    ...(service === name || isOfCompose(at) ? {} : { container_name: name }),
    ...(count === 1 ? {} : { scale: count }),
    depends_on: dependsOn(at),
  };
  const all = Object.assign({}, keys, ...parts.map((part) => part.keys)) as Dict;
  const notes: readonly Note[] = [
    ...parts.flatMap((part) => part.notes),
    ...unmasked(at),
    ...(isRunning ? [] : [note('changed', `services.${service}`, 'it does not run now, and it would')]),
  ];
  // An entrypoint may be empty: that takes away the image's.
  const said = Object.entries(all).filter(([key, value]) => key === 'entrypoint' || !isUnset(value));
  return { keys: Object.fromEntries(said), notes };
}

function rowsOf(settings: Dict, rows: Readonly<Record<string, Row>>, from: string, at: At): readonly Said[] {
  return Object.entries(settings)
    .filter(([key, value]) => !isUnset(value) || (key === 'Env' && value !== null))
    .map(
      ([key, value]) =>
        entryOf(rows, key)?.(value, at) ?? {
          keys: {},
          notes: [note('dropped', `${from}.${key}`, 'no field of a Tenant says it')],
        },
    );
}

/** A list of masked paths that is empty is a wish: everything else shows the engine's own. */
function unmasked({ shown, service }: At): readonly Note[] {
  const { MaskedPaths, Privileged } = within(shown, 'HostConfig');
  const isWish = Array.isArray(MaskedPaths) && MaskedPaths.length === 0 && Privileged !== true;
  return isWish
    ? [
        note(
          'dropped',
          `services.${service}.security_opt`,
          'systempaths=unconfined: no field of a Tenant says it',
        ),
      ]
    : [];
}

/** By a name that nobody chose. */
function isOfCompose(at: At): boolean {
  const joined = [
    composeLabel(at, 'project'),
    composeLabel(at, 'service'),
    composeLabel(at, 'container-number'),
  ];
  return ['-', '_'].some((sign) => at.name === joined.join(sign));
}

/** `db:service_healthy:false,…`, which compose notes for itself. */
function dependsOn(at: At): Dict {
  const wishes = composeLabel(at, 'depends_on').split(',').filter(Boolean);
  return Object.fromEntries(
    wishes.map((wish) => {
      const [service = '', condition = ''] = wish.split(':');
      return [service, condition === '' ? {} : { condition }];
    }),
  );
}
