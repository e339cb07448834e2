import { note } from '../../convert/finding.ts';
import type { Note } from '../../convert/finding.ts';
import type { Dict } from '../../convert/read/scalars.ts';
import { said } from './config-rows.ts';
import type { Said } from './config-rows.ts';
import type { At } from './found.ts';
import { dicts, isUnset, within, word } from './plain.ts';

/** How the engine calls a volume that nobody gave a name. */
export const anonymous = /^[0-9a-f]{64}$/;

/** What a container mounts, as the engine shows it: wherever that came from. */
export function mountsOf(at: At): Said {
  const shown = dicts(at.shown['Mounts']).map((mount) => mounted(mount, at));
  const tmpfs = Object.entries(within(within(at.shown, 'HostConfig'), 'Tmpfs')).map(
    ([path, options]) => `${path}${isUnset(options) ? '' : `:${word(options)}`}`,
  );
  return said(
    { volumes: shown.flatMap(({ keys }) => (isUnset(keys) ? [] : [keys])), tmpfs },
    ...shown.flatMap(({ notes }) => notes),
  );
}

function mounted(mount: Dict, at: At): Said {
  const { Type, Source, Name, Destination, RW, Mode, Propagation } = mount;
  const target = word(Destination);
  const from = `services.${at.service}.volumes`;
  const asked = dicts(within(at.shown, 'HostConfig')['Mounts']).find((one) => one['Target'] === target);
  const base = { type: Type, target, ...(RW === false ? { read_only: true } : {}) };
  if (Type === 'volume') return volume({ name: word(Name), base, asked, from }, at);
  if (Type === 'tmpfs') {
    const { SizeBytes } = within(asked, 'TmpfsOptions');
    return said({ ...base, ...(isUnset(SizeBytes) ? {} : { tmpfs: { size: SizeBytes } }) });
  }
  const label = /(?:^|,)([zZ])(?:,|$)/.exec(word(Mode))?.[1];
  const isShared = !['', 'rprivate', 'private'].includes(word(Propagation));
  return said(
    { ...base, source: Source, ...(label === undefined ? {} : { bind: { selinux: label } }) },
    ...(Type === 'bind' && isShared
      ? [note('dropped', from, `${target}: propagation ${word(Propagation)}: no field of a Tenant says it`)]
      : []),
  );
}

interface Volume {
  readonly name: string;
  readonly base: Dict;
  readonly asked: Dict | undefined;
  readonly from: string;
}

function volume({ name, base, asked, from }: Volume, { image, found }: At): Said {
  const target = word(base['target']);
  const { Subpath } = within(asked, 'VolumeOptions');
  const inside = isUnset(Subpath) ? {} : { volume: { subpath: Subpath } };
  if (!anonymous.test(name))
    return said({ ...base, source: volumeKey(name, found.volumes.get(name)), ...inside });
  const isOfImage = Object.hasOwn(within(within(image, 'Config'), 'Volumes'), target);
  return said(isOfImage ? {} : { ...base, ...inside }, ownBegins(from, target));
}

function ownBegins(from: string, target: string): Note {
  return note('needs', from, `what is in ${target}: a volume of the Tenant's own begins empty`);
}

/** As its compose project calls it, or the engine. */
export function volumeKey(name: string, volume: Dict | undefined): string {
  return word(within(volume, 'Labels')['com.docker.compose.volume']) || name;
}

/** What is said of the volumes themselves: each is somebody else's by now, with something in it. */
export function volumesOf(volumes: At['found']['volumes']): Dict {
  return Object.fromEntries(
    [...volumes].map(([name, { Driver, Options, Labels }]) => {
      const key = volumeKey(name, { Labels });
      return [
        key,
        {
          external: true,
          ...(key === name ? {} : { name }),
          ...(isUnset(Driver) ? {} : { driver: Driver }),
          ...(isUnset(Options) ? {} : { driver_opts: Options }),
        },
      ];
    }),
  );
}
