import { createHash } from 'node:crypto';
import { Unsayable, item, note, placed } from '../../finding.ts';
import type { Beside, Finding, Step } from '../../finding.ts';
import { dnsLabelOf } from '../../names.ts';
import { absolute } from '../project.ts';
import type { Spot } from '../project.ts';
import { isDict, list, text } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { ofContainer } from './row.ts';
import type { Row } from './row.ts';

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
    const definition = defined[source];
    const inside = { ...spot, from: `${spot.from}.${source}` };
    if (!isDict(definition)) throw new Unsayable(`${source} is defined nowhere in the file`);
    const mode =
      keys['mode'] === undefined ? [] : [note('changed', inside.from, 'mode: it is 0644, readable by all')];
    return [...mounted({ of, key: keyOf(source), path }, contentOf(definition, inside), inside), ...mode];
  });
}

/** The text of a secret or config; undefined: it has to be given. */
function contentOf({ content, environment, file }: Dict, spot: Spot): string | undefined {
  if (typeof content === 'string') return content;
  if (typeof environment === 'string') return spot.project.variables(environment);
  return typeof file === 'string' ? spot.project.around.read(absolute(file, spot.project.around)) : undefined;
}

/** A file whose text stands in the compose file itself. */
export function fileMount(path: string, content: string, spot: Spot): readonly Finding[] {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 8);
  const key = `${keyOf(path.split('/').pop() ?? '').slice(0, 200)}-${hash}`;
  return mounted({ of: 'ConfigMap', key, path }, content, spot);
}

interface FileAt {
  readonly of: Beside['of'];
  readonly key: string;
  readonly path: string;
}

const secretsFolder = '/run/secrets/';

function mounted(file: FileAt, content: string | undefined, spot: Spot): readonly Finding[] {
  const { of, key } = file;
  const object = dnsLabelOf(`${spot.project.name}-${of === 'Secret' ? 'secrets' : 'files'}`);
  return [
    ...mountsOf(file, object, spot),
    content === undefined
      ? note('needs', spot.from, `a ${of} ${object} with the key ${key}`)
      : { kind: 'beside', of, name: object, key, content },
  ];
}

/** A folder of secrets alone is a volume of its own; any other file goes among those that the image has there. */
function mountsOf({ of, key, path }: FileAt, object: string, spot: Spot): readonly Finding[] {
  const below = path.slice(secretsFolder.length);
  const hasFolder = of === 'Secret' && path.startsWith(secretsFolder) && !below.includes('/');
  const name = hasFolder ? dnsLabelOf(`${spot.container}-secrets`) : of === 'Secret' ? 'secrets' : 'files';
  const source = of === 'Secret' ? { secret: { secretName: object } } : { configMap: { name: object } };
  const volume = (steps: readonly Step[], value: unknown): Finding =>
    placed(['volumes', item(name), ...steps], value, spot.from);
  if (!hasFolder)
    return [
      volume([], { name, ...source }),
      ofContainer(spot, ['volumeMounts', item(path)], {
        name,
        mountPath: path,
        subPath: key,
        readOnly: true,
      }),
    ];
  const mountPath = secretsFolder.slice(0, -1);
  return [
    volume(['name'], name),
    volume(['secret', 'secretName'], object),
    volume(['secret', 'items', item(below)], { key, path: below }),
    ofContainer(spot, ['volumeMounts', item(mountPath)], { name, mountPath, readOnly: true }),
  ];
}

function keyOf(name: string): string {
  return name.replaceAll(/[^-._a-zA-Z0-9]/g, '-');
}
