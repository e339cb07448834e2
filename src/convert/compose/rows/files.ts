import { Unsayable, item, note, placed } from '../../finding.ts';
import type { Beside, Finding, Step } from '../../finding.ts';
import { dnsLabelOf } from '../../names.ts';
import { absolute } from '../project.ts';
import type { Spot } from '../project.ts';
import { entryOf, isDict, list, text } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { ofContainer } from './row.ts';
import type { Row } from './row.ts';
import { bindMount, needsSubPath } from './volumes.ts';

/** Files that compose makes of its secrets and configs: they come out of a Secret and of a ConfigMap. */
export const fileRows: Readonly<Record<string, Row>> = {
  secrets: (value, spot) => given('Secret', value, spot),
  configs: (value, spot) => given('ConfigMap', value, spot),
};

function given(of: Beside['of'], value: unknown, spot: Spot): readonly Finding[] {
  const defined = of === 'Secret' ? spot.project.secrets : spot.project.configs;
  return list(value).flatMap((one) => {
    const keys: Dict = isDict(one) ? one : { source: one };
    const source = text(keys['source']);
    const target = keys['target'] === undefined ? '' : text(keys['target']);
    const otherwise = of === 'Secret' ? `${secretsFolder}${target || source}` : `/${target || source}`;
    const path = target.startsWith('/') ? target : otherwise;
    const definition = entryOf(defined, source);
    const inside = { ...spot, from: `${spot.from}.${source}` };
    if (!isDict(definition)) throw new Unsayable(`${source} is defined nowhere in the file`);
    const mode =
      keys['mode'] === undefined ? [] : [note('changed', inside.from, 'mode: it is 0644, readable by all')];
    return [...mounted({ of, key: keyOf(source), path }, definition, inside), ...mode];
  });
}

/** The text of a secret or config; undefined: it has to be given. */
function contentOf({ content, environment, file }: Dict, spot: Spot): string | undefined {
  if (typeof content === 'string') return content;
  if (typeof environment === 'string') return spot.project.variables(environment);
  return typeof file === 'string' ? spot.project.around.read(absolute(file, spot.project.around)) : undefined;
}

interface FileAt {
  readonly of: Beside['of'];
  readonly key: string;
  readonly path: string;
}

const secretsFolder = '/run/secrets/';

function mounted(file: FileAt, definition: Dict, spot: Spot): readonly Finding[] {
  const { of, key, path } = file;
  // Compose itself mounts the path, too.
  if (folderOf(file) === undefined && typeof definition['file'] === 'string')
    return bindMount(
      { source: definition['file'], target: path, isReadOnly: true, label: '', propagation: '' },
      spot,
    );
  const content = contentOf(definition, spot);
  const object = dnsLabelOf(`${spot.project.name}-${of === 'Secret' ? 'secrets' : 'files'}`);
  return [
    ...mountsOf(file, object, spot),
    content === undefined
      ? note('needs', spot.from, `a ${of} ${object} with the key ${key}`)
      : { kind: 'beside', of, name: object, key, content },
  ];
}

/** The folder that is of such files alone, which can be a volume of its own; any other has files of the image. */
function folderOf({ of, path }: FileAt): string | undefined {
  const isAlone = path.startsWith(secretsFolder) && !path.slice(secretsFolder.length).includes('/');
  return of === 'Secret' && isAlone ? secretsFolder.slice(0, -1) : undefined;
}

function mountsOf(file: FileAt, object: string, spot: Spot): readonly Finding[] {
  const { of, key, path } = file;
  const folder = folderOf(file);
  const name =
    folder === undefined ? (of === 'Secret' ? 'secrets' : 'files') : dnsLabelOf(`${spot.container}-secrets`);
  const volume = (steps: readonly Step[], value: unknown): Finding =>
    placed(['volumes', item(name), ...steps], value, spot.from);
  if (folder === undefined) {
    const source = of === 'Secret' ? { secret: { secretName: object } } : { configMap: { name: object } };
    const mount = { name, mountPath: path, subPath: key, readOnly: true };
    return [
      volume([], { name, ...source }),
      ofContainer(spot, ['volumeMounts', item(path)], mount),
      needsSubPath(spot),
    ];
  }
  const below = path.slice(secretsFolder.length);
  return [
    volume(['name'], name),
    volume(['secret', 'secretName'], object),
    volume(['secret', 'items', item(below)], { key, path: below }),
    ofContainer(spot, ['volumeMounts', item(folder)], { name, mountPath: folder, readOnly: true }),
  ];
}

function keyOf(name: string): string {
  return name.replaceAll(/[^-._a-zA-Z0-9]/g, '-');
}
