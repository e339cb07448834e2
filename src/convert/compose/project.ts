import { Unsayable, note } from '../finding.ts';
import type { Note } from '../finding.ts';
import { parseEnvFile } from './read/env-file.ts';
import { extended } from './read/extend.ts';
import { fillVariables } from './read/fill-variables.ts';
import type { Variables } from './read/interpolate.ts';
import { parseYaml } from './read/parse-yaml.ts';
import { dict, isDict, list } from '../read/scalars.ts';
import type { Dict } from '../read/scalars.ts';
import { containerNames, dnsLabelOf, dnsLabels } from '../names.ts';
import { withContainerNames } from './other-names.ts';

/** What a converter knows of the place that a file is from. */
export interface Surroundings {
  /** Name of the Tenant, where the file says none. */
  readonly name: string;
  /** Absolute path that the relative ones in the file start from. */
  readonly folder: string;
  /** What `~` stands for. */
  readonly home: string;
  /** Profiles whose services run; `*`: all. */
  readonly profiles: readonly string[];
  /** Texts of files with variables, later ones over earlier ones. */
  readonly envFiles: readonly string[];
  /** The text of a file by its absolute path; undefined: there is none, or no text in it. */
  readonly read: (path: string) => string | undefined;
}

/** A compose file as its rows see it. */
export interface Project {
  /** As it was written. */
  readonly source: string;
  readonly name: string;
  readonly around: Surroundings;
  readonly variables: Variables;
  /** Those that run, by the names that they have in the file. */
  readonly services: ReadonlyMap<string, Dict>;
  /** Those of profiles that are not asked for, too. */
  readonly all: Dict;
  /** Names of containers by those of services. */
  readonly containers: ReadonlyMap<string, string>;
  readonly volumes: Dict;
  /** Names in the Tenant by those of volumes. */
  readonly volumeNames: ReadonlyMap<string, string>;
  readonly networks: Dict;
  readonly secrets: Dict;
  readonly configs: Dict;
}

/** Where a row reads, and for which container it speaks. */
export interface Spot {
  readonly from: string;
  readonly service: string;
  readonly container: string;
  readonly keys: Dict;
  readonly project: Project;
}

const known = new Set(['services', 'volumes', 'networks', 'secrets', 'configs', 'name', 'version']);

export interface Read {
  readonly project: Project;
  readonly notes: readonly Note[];
  /** Where a variable has no value that is to have one. */
  readonly unfilled: readonly string[];
}

export function readProject(source: string, around: Surroundings): Read {
  const variables = variablesOf(around);
  const { document, notes, unfilled } = fillVariables(parseYaml(source), variables);
  if (document['include'] !== undefined)
    throw new Unsayable(
      'include: convert what `docker compose config` prints, which has all in one',
      'refused',
    );
  const open = (file: string): Dict => servicesOf(file, around, variables);
  const services = extended(dict(document['services']), open);
  const { project, notes: more } = projectOf({ ...document, services }, { source, around, variables });
  return { project, notes: [...notes, ...more], unfilled };
}

/** A file with nothing left to fill in or to extend. Each scalar is a text. */
export function projectOf(
  document: Dict,
  { source, around, variables }: Pick<Project, 'source' | 'around' | 'variables'>,
): Pick<Read, 'project' | 'notes'> {
  const all = dict(document['services']);
  const left = new Map(Object.entries(all).flatMap(([name, keys]) => absence(name, dict(keys), around)));
  const running = new Map(Object.entries(all).filter(([name]) => !left.has(name)) as [string, Dict][]);
  if (running.size === 0)
    throw new Unsayable(`services: there are none${left.size === 0 ? '' : ' that run'}`, 'refused');
  const containers = containerNames(running);
  const { services, notes: renamed } = withContainerNames(running, containers);
  const volumes = dict(document['volumes']);
  const others = Object.keys(document).filter((key) => !known.has(key) && !key.startsWith('x-'));
  const project: Project = {
    source,
    name: dnsLabelOf(typeof document['name'] === 'string' ? document['name'] : around.name),
    around,
    variables,
    services,
    all,
    containers,
    volumes,
    volumeNames: dnsLabels(new Map(Object.keys(volumes).map((key) => [key, key]))),
    networks: dict(document['networks']),
    secrets: dict(document['secrets']),
    configs: dict(document['configs']),
  };
  const unknown = others.map((key) => note('changed', key, 'left out: no key of compose'));
  return { project, notes: [...renamed, ...left.values(), ...unknown] };
}

/** Why nothing of a service runs; none: it does. */
function absence(name: string, keys: Dict, { profiles }: Surroundings): readonly [string, Note][] {
  const from = `services.${name}`;
  const own = list(keys['profiles']).map(String);
  const isAskedFor = own.length === 0 || [...own, '*'].some((profile) => profiles.includes(profile));
  const isMade = keys['image'] !== undefined || keys['build'] !== undefined;
  const { deploy } = keys;
  const count = keys['scale'] ?? (isDict(deploy) ? deploy['replicas'] : undefined);
  if (!isAskedFor)
    return [
      [name, note('changed', `${from}.profiles`, 'left out, as by `docker compose up`: see --profile')],
    ];
  if (count === '0') return [[name, note('changed', from, 'left out: there are to be none of it')]];
  return isMade ? [] : [[name, note('needs', from, 'an image, which another file names: left out')]];
}

function servicesOf(file: string, around: Surroundings, variables: Variables): Dict {
  const source = around.read(absolute(file, around));
  if (source === undefined) throw new Unsayable(`extends what is in ${file}, which can't be read`, 'refused');
  return dict(fillVariables(parseYaml(source), variables).document['services']);
}

function variablesOf({ envFiles }: Surroundings): Variables {
  const set = new Map<string, string>();
  for (const source of envFiles)
    for (const [name, value] of parseEnvFile(source, (outer) => set.get(outer))) set.set(name, value);
  return (name) => set.get(name);
}

/** A path of the file, from the root of the machine that the file is for. */
export function absolute(path: string, { folder, home }: Surroundings): string {
  const full =
    path === '~' || path.startsWith('~/')
      ? `${home}${path.slice(1)}`
      : path.startsWith('/')
        ? path
        : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of full.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
