import { defaultCapabilities } from '../../../api/capabilities.ts';
import { item, note } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { shellWords } from '../read/shell-words.ts';
import {
  bool,
  bytes,
  dict,
  entryOf,
  isDict,
  list,
  number,
  pairs,
  seconds,
  text,
  texts,
} from '../../read/scalars.ts';
import { field, needsPolicy, ofContainer } from './row.ts';
import type { Row } from './row.ts';

/** What a container's process is given, and how it is ended. */
export const processRows: Readonly<Record<string, Row>> = {
  image: field('image', text),
  entrypoint,
  command,
  user: (value, spot) =>
    // Of variables without a value.
    /^:?$/.test(text(value))
      ? [note('changed', spot.from, "left out, being empty: the image's own")]
      : [ofContainer(spot, ['user'], text(value))],
  working_dir: field('workingDir', text),
  hostname: field('hostname', text),
  init: field('init', bool),
  tty: field('tty', bool),
  stdin_open: field('stdin', bool),
  read_only: field('readOnlyRootFilesystem', bool),
  stop_signal: field('stopSignal', (value) => signalName(text(value))),
  stop_grace_period: field('stopGracePeriodSeconds', (value) => Math.ceil(seconds(value))),
  shm_size: field('shmSize', bytes),
  ulimits,
  sysctls: (value, spot) =>
    pairs(value).map(([name, setting]) =>
      ofContainer(spot, ['sysctls', item(name)], { name, value: setting ?? '' }, `.${name}`),
    ),
  extra_hosts: extraHosts,
  dns: (value, spot) =>
    texts(value).map((ip, index) => ofContainer(spot, ['dns', item(ip)], ip, `[${index}]`)),
  cap_add: capabilities('add'),
  cap_drop: capabilities('drop'),
  platform: field('platform', text),
};

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? texts(value) : shellWords(text(value));
}

function entrypoint(value: unknown, spot: Spot): readonly Finding[] {
  const given = words(value);
  const isNone = given.length === 0 || (given.length === 1 && given[0] === '');
  if (!isNone) return [ofContainer(spot, ['command'], given)];
  // No entrypoint at all: the command is the program, wherever there is one.
  const own = spot.keys['command'] ?? null;
  return own === null
    ? [
        note(
          'dropped',
          spot.from,
          "an entrypoint that is empty takes away the image's: name the whole command",
        ),
      ]
    : [ofContainer(spot, ['command'], words(own))];
}

function command(value: unknown, spot: Spot): readonly Finding[] {
  const given = words(value);
  const program = spot.keys['entrypoint'] ?? null;
  // As the engine has it, beside the image's own entrypoint.
  if (given.length === 0)
    return program === null ? [note('changed', spot.from, "left out, being empty: the image's own")] : [];
  return program !== null && words(program).join('') === '' ? [] : [ofContainer(spot, ['args'], given)];
}

const signalNumbers: Readonly<Record<string, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  12: 'SIGUSR2',
  15: 'SIGTERM',
  28: 'SIGWINCH',
};

function signalName(word: string): string {
  const upper = word.toUpperCase();
  return entryOf(signalNumbers, word) ?? (upper.startsWith('SIG') ? upper : `SIG${upper}`);
}

function ulimits(value: unknown, spot: Spot): readonly Finding[] {
  return Object.entries(dict(value)).map(([name, limit]) => {
    const { soft, hard } = isDict(limit) ? limit : { soft: limit, hard: limit };
    const both = { name, soft: number(soft ?? hard), hard: number(hard ?? soft) };
    return ofContainer(spot, ['ulimits', item(name)], both, `.${name}`);
  });
}

/** `name:address`, `name=address`, or a map of them. */
function extraHosts(value: unknown, spot: Spot): readonly Finding[] {
  const entries = isDict(value)
    ? Object.entries(value).flatMap(([name, ips]) => texts(ips).map((ip) => [name, ip] as const))
    : texts(value).map((line) => {
        const at = line.search(/[=:]/);
        return [line.slice(0, at), line.slice(at + 1)] as const;
      });
  return entries.map(([hostname, ip]) =>
    ofContainer(spot, ['extraHosts', item(hostname)], { hostname, ip: ip.replace(/^\[(.*)\]$/, '$1') }),
  );
}

function capabilities(way: 'add' | 'drop'): Row {
  return (value, spot) =>
    list(value).flatMap((one) => {
      const name = text(one).toUpperCase().replace(/^CAP_/, '');
      const isMore = way === 'add' && !defaultCapabilities.some((one) => one === name);
      return [
        ofContainer(spot, ['capabilities', way, item(name)], name, `.${name}`),
        ...(isMore ? [needsPolicy(spot, 'allow_capabilities', `[${name}]`)] : []),
      ];
    });
}
