import { note } from '../../convert/finding.ts';
import type { Note } from '../../convert/finding.ts';
import { amount } from '../../convert/read/scalars.ts';
import type { Dict } from '../../convert/read/scalars.ts';
import type { At } from './found.ts';
import { isSame, isUnset, networkModeOf, secondsOf, within, word, words } from './plain.ts';

/** What a container's process is, where that is not what its image says. */

/** What a setting is in a compose file, and what has no words there. */
export interface Said {
  readonly keys: Dict;
  readonly notes: readonly Note[];
}

export function said(keys: Dict, ...notes: readonly Note[]): Said {
  return { keys, notes };
}

export type Row = (value: unknown, at: At) => Said;

export const unsaid: Row = () => said({});

/** A setting of the image's as well, which is not repeated. */
const ofImage =
  (key: string, read: (value: unknown) => unknown): Row =>
  (value, { image }) =>
    isSame(value, within(image, 'Config')[key]) ? said({}) : said(read(value) as Dict);

const as =
  (key: string): ((value: unknown) => Dict) =>
  (value) => ({ [key]: value });

/** Of `Config`. */
export const configRows: Readonly<Record<string, Row>> = {
  Image: (value, at) => imageOf(word(value), at),
  Entrypoint: unsaid,
  Cmd: unsaid,
  User: ofImage('User', as('user')),
  WorkingDir: ofImage('WorkingDir', as('working_dir')),
  StopSignal: ofImage('StopSignal', as('stop_signal')),
  StopTimeout: ofImage('StopTimeout', (value) => ({ stop_grace_period: `${amount(value)}s` })),
  Healthcheck: ofImage('Healthcheck', (value) => ({ healthcheck: healthOf(value as Dict) })),
  Env: environment,
  Labels: labels,
  Hostname: (value, { id, shown }) =>
    // Its own is made of its id; with the network of another it has that one's.
    id.startsWith(word(value)) || /^(host|container:)/.test(networkModeOf(shown))
      ? said({})
      : said({ hostname: value }),
  Domainname: (value) => said({ domainname: value }),
  MacAddress: (value) => said({ mac_address: value }),
  Tty: (value) => said({ tty: value }),
  OpenStdin: (value) => said({ stdin_open: value }),
  // Of whoever started it; and what is told of the image, or by another key.
  AttachStdin: unsaid,
  AttachStdout: unsaid,
  AttachStderr: unsaid,
  StdinOnce: unsaid,
  ArgsEscaped: unsaid,
  ExposedPorts: unsaid,
  OnBuild: unsaid,
  Shell: unsaid,
  Volumes: unsaid,
};

/** A name to pull it by, and what that name means by now. */
function imageOf(named: string, { image, shown, meant, service }: At): Said {
  const from = `services.${service}.image`;
  const id = word(shown['Image']);
  const isId = /^(sha256:)?[0-9a-f]{12,64}$/.test(named) && id.includes(named);
  const [other] = [...words(image?.['RepoTags']), ...words(image?.['RepoDigests'])];
  const name = isId ? other : named;
  if (name === undefined)
    return said(
      {},
      note('refused', from, `${named} has no name: tag and push it, and start it by that name`),
    );
  const isMoved = !isId && meant !== id;
  const isOfEngine = image !== undefined && words(image['RepoDigests']).length === 0;
  return said(
    { image: name },
    ...(isMoved ? [note('changed', from, `${name} means ${meant ?? 'nothing'} by now, and ${id} runs`)] : []),
    ...(isOfEngine ? [note('needs', from, `${name} in a registry: the engine has it from none`)] : []),
  );
}

/** Entrypoint and command hang together: whoever names the one has none of the image's other. */
export function programOf({ image, shown }: At): Dict {
  const [own, its] = [within(shown, 'Config'), within(image, 'Config')];
  const [entrypoint, command] = [words(own['Entrypoint']), words(own['Cmd'])];
  const isOfImage = isSame(entrypoint, words(its['Entrypoint']));
  const isWhole = isOfImage && (command.length > 0 || words(its['Cmd']).length === 0);
  if (!isWhole) return { entrypoint, ...(command.length === 0 ? {} : { command }) };
  return isSame(command, words(its['Cmd'])) ? {} : { command };
}

function environment(value: unknown, { image, service }: At): Said {
  const own = pairsOf(value);
  const its = pairsOf(within(image, 'Config')['Env']);
  const gone = [...its.keys()].filter((name) => !own.has(name));
  return said(
    { environment: Object.fromEntries([...own].filter(([name, one]) => its.get(name) !== one)) },
    ...gone.map((name) =>
      note(
        'dropped',
        `services.${service}.environment.${name}`,
        "no field of a Tenant takes away the image's",
      ),
    ),
  );
}

function pairsOf(lines: unknown): ReadonlyMap<string, string> {
  return new Map(
    words(lines)
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Marks of who runs it now: they are no one's to bear who runs elsewhere. */
const marks = /^(com\.docker\.compose\.|desktop\.docker\.io\/|landlord\.)/;

function labels(value: unknown, { image, service }: At): Said {
  const its = within(within(image, 'Config'), 'Labels');
  const own = Object.entries(value as Dict).filter(([name, one]) => its[name] !== one);
  const foreign = own.filter(([name]) => marks.test(name));
  return said(
    { labels: Object.fromEntries(own.filter(([name]) => !marks.test(name))) },
    ...(foreign.length === 0
      ? []
      : [note('changed', `services.${service}.labels`, 'left out: the marks of what runs it now')]),
  );
}

/** The engine's own figures, where there are none, are compose's. */
function healthOf({ Test, Interval, Timeout, Retries, StartPeriod, StartInterval }: Dict): Dict {
  return {
    ...(isUnset(Test) ? {} : { test: Test }),
    interval: secondsOf(Interval),
    timeout: secondsOf(Timeout),
    retries: Retries ?? 0,
    ...(isUnset(StartPeriod) ? {} : { start_period: secondsOf(StartPeriod) }),
    ...(isUnset(StartInterval) ? {} : { start_interval: secondsOf(StartInterval) }),
  };
}
