import { Unsayable, item, note, placed, sayable } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import { dnsLabelOf } from '../../names.ts';
import { absolute } from '../project.ts';
import type { Spot } from '../project.ts';
import { bool, bytes, dict, isDict, list, text, texts, wordOf } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { ofContainer, ofDocker } from './row.ts';
import type { Row } from './row.ts';

export const volumeRows: Readonly<Record<string, Row>> = {
  volumes_from: volumesFrom,
  volumes: (value, spot) => mounts(value, spot),
  tmpfs: (value, spot) => texts(value).flatMap((one) => shortTmpfs(one, spot)),
};

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  /** Of a bind mount, how SELinux labels it: z or Z. */
  readonly label: string;
  /** Of a bind mount, what of mounts beneath it is seen. Empty: nothing is said. */
  readonly propagation: string;
  /** Of a volume, that it begins empty, whatever the image has there. */
  readonly isEmpty: boolean;
  readonly keys: Dict;
}

function mounts(value: unknown, spot: Spot): readonly Finding[] {
  return list(value).flatMap((one, index) => {
    const inside = { ...spot, from: `${spot.from}[${index}]` };
    return sayable(inside.from, () => mounted(isDict(one) ? longMount(one) : shortMount(text(one)), inside));
  });
}

function longMount(keys: Dict): Mount {
  return {
    type: wordOf(keys, 'type') || (isPath(wordOf(keys, 'source')) ? 'bind' : 'volume'),
    source: wordOf(keys, 'source'),
    target: wordOf(keys, 'target'),
    isReadOnly: bool(keys['read_only'] ?? 'false'),
    label: wordOf(dict(keys['bind']), 'selinux'),
    propagation: wordOf(dict(keys['bind']), 'propagation'),
    isEmpty: bool(dict(keys['volume'])['nocopy'] ?? 'false'),
    keys,
  };
}

/** `[SOURCE:]TARGET[:OPTION,…]` */
function shortMount(line: string): Mount {
  const parts = line.split(':');
  const [source = '', target = '', options = ''] = parts.length === 1 ? ['', line] : parts;
  if (parts.length > 3 || target === '')
    throw new Unsayable(`must be SOURCE:TARGET, with options, not "${line}"`);
  const words = options.split(',');
  return {
    type: isPath(source) ? 'bind' : 'volume',
    source,
    target,
    isReadOnly: words.includes('ro'),
    label: words.find((word) => /^z$/i.test(word)) ?? '',
    propagation: words.find((word) => /^r?(shared|slave|private)$/.test(word)) ?? '',
    isEmpty: words.includes('nocopy'),
    keys: {},
  };
}

function isPath(source: string): boolean {
  return /^[./~]/.test(source);
}

function mounted(mount: Mount, spot: Spot): readonly Finding[] {
  if (mount.type === 'bind') return [...bindMount(mount, spot), ...contentNote(mount, spot)];
  if (mount.type === 'tmpfs') return tmpfs(mount.target, dict(mount.keys['tmpfs'])['size'], spot);
  if (mount.type === 'volume') return volumeMount(mount, spot);
  throw new Unsayable(`no field of a Tenant mounts what is of the type ${mount.type}`);
}

/** Some who run compose files for others make the file first, of what stands beside its path. */
function contentNote({ source, keys }: Mount, spot: Spot): readonly Finding[] {
  if (keys['content'] === undefined) return [];
  const path = absolute(source, spot.project.around);
  return [note('needs', spot.from, `the file ${path} on the host, with the content that stands here`)];
}

/** A path of the host in a container. */
export function bindMount(
  { source, target, isReadOnly, label, propagation }: Omit<Mount, 'type' | 'keys' | 'isEmpty'>,
  spot: Spot,
): readonly Finding[] {
  const path = absolute(source, spot.project.around);
  // Mounts that a container makes would show on the host.
  const isShared = propagation.endsWith('shared');
  const words = [isReadOnly ? 'ro' : '', label, isShared ? '' : propagation].filter((word) => word !== '');
  const rights = [isReadOnly ? '' : ', writable: true', label === '' ? '' : ', relabel: true'].join('');
  return [
    ofDocker(
      spot,
      ['volumes', item(target)],
      [path, target, ...(words.length === 0 ? [] : [words.join(',')])].join(':'),
    ),
    note(
      'needs',
      spot.from,
      `policy.docker.allowed_host_paths with ${rights === '' ? path : `{path: ${path}${rights}}`}`,
    ),
    ...(isShared
      ? [note('dropped', spot.from, `${propagation}: no Tenant mounts anything on its host`)]
      : []),
  ];
}

function volumeMount({ source, target, isReadOnly, isEmpty, keys }: Mount, spot: Spot): readonly Finding[] {
  const { subpath } = dict(keys['volume']);
  const key = source === '' ? `${spot.container}${target}` : source;
  const name = spot.project.volumeNames.get(source) ?? dnsLabelOf(key);
  // Docker alone copies at all: the same volume, in its own words.
  if (isEmpty && subpath === undefined)
    return [ofDocker(spot, ['volumes', item(target)], `${name}:${target}:${isReadOnly ? 'ro,' : ''}nocopy`)];
  const mount = {
    name,
    mountPath: target,
    ...(isReadOnly ? { readOnly: true } : {}),
    ...(subpath === undefined ? {} : { subPath: text(subpath) }),
  };
  return [
    placed(['volumes', item(name)], { name, persistent: {} }, spot.from),
    ofContainer(spot, ['volumeMounts', item(target)], mount),
    ...(subpath === undefined ? [] : [needsSubPath(spot)]),
  ];
}

/** A part of a volume, or one file. */
export function needsSubPath({ from }: Spot): Finding {
  return note('needs', from, 'Docker Engine 26 or newer, which can mount a part of a volume');
}

/** `TARGET[:OPTION,…]` */
function shortTmpfs(line: string, spot: Spot): readonly Finding[] {
  const [target = '', options = ''] = line.split(':');
  const words = options.split(',');
  const size = words.find((word) => word.startsWith('size='))?.slice('size='.length);
  const others = words.filter((word) => word !== '' && !word.startsWith('size='));
  return [
    ...tmpfs(target, size, spot),
    ...(others.length === 0 ? [] : [note('changed', spot.from, `left out: ${others.join(', ')}`)]),
  ];
}

/** Where compose has no bound, which is half of the host's memory: some has to be named. */
const largestTmpfs = '1Gi';

function tmpfs(target: string, size: unknown, spot: Spot): readonly Finding[] {
  const name = dnsLabelOf(`${spot.container}${target}`);
  const bound = size === undefined ? largestTmpfs : bytes(size);
  return [
    placed(['volumes', item(name)], { name, tmpfs: { size: bound } }, spot.from),
    ofContainer(spot, ['volumeMounts', item(target)], { name, mountPath: target }),
    ...(size === undefined
      ? [note('changed', spot.from, `at most ${largestTmpfs}, as no size is named`)]
      : []),
  ];
}

/** What another service of the file mounts. */
function volumesFrom(value: unknown, spot: Spot): readonly Finding[] {
  return texts(value).flatMap((line) => {
    const [service = '', option] = line.split(':');
    const other = spot.project.services.get(service);
    if (other === undefined) return [note('dropped', spot.from, `${service} is no service of this file`)];
    const all = mounts(other['volumes'], spot);
    return option === 'ro'
      ? [...all, note('dropped', spot.from, `${service} is mounted to be written to`)]
      : all;
  });
}

/** What the file says of volumes themselves. */
export function volumeNotes(volumes: Dict): readonly Finding[] {
  return Object.entries(volumes).flatMap(([name, value]) =>
    sayable(`volumes.${name}`, () => notesOfVolume(name, dict(value))),
  );
}

function notesOfVolume(name: string, volume: Dict): readonly Finding[] {
  const from = (key: string): string => `volumes.${name}.${key}`;
  const options = Object.values(dict(volume['driver_opts'])).filter((option) => option !== '');
  return [
    ...(volume['external'] !== undefined && volume['external'] !== 'false'
      ? [note('needs', from('external'), `what is in ${name}: a volume of the Tenant's own begins empty`)]
      : []),
    ...(typeof volume['driver'] === 'string' && !['', 'local', 'default'].includes(volume['driver'])
      ? [
          note(
            'dropped',
            from('driver'),
            `volumes are of the engine's local driver, not of ${volume['driver']}`,
          ),
        ]
      : []),
    ...(options.length === 0
      ? []
      : [note('dropped', from('driver_opts'), 'no field of a Tenant has options of a driver')]),
    ...(volume['name'] === undefined || volume['external'] !== undefined
      ? []
      : [note('changed', from('name'), 'the name on the engine is of the Tenant')]),
  ];
}
