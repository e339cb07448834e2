import { Unsayable, item, note, sayable } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { bool, dict, entryOf, isDict, list, number, pairs, text, texts } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';
import { needsPolicy, ofDocker, siblingJoined } from './row.ts';
import type { Row } from './row.ts';

/** What only Docker has: options of one container in the block of that provider. */
export const dockerRows: Readonly<Record<string, Row>> = {
  network_mode: networkMode,
  networks,
  labels: (value, spot) =>
    pairs(value).map(([name, word]) => ofDocker(spot, ['labels', name], word ?? '', `.${name}`)),
  logging,
  security_opt: (value, spot) => texts(value).flatMap((option) => securityOption(option, spot)),
  privileged: (value, spot) =>
    bool(value) ? [ofDocker(spot, ['privileged'], true), needsPolicy(spot, 'allow_privileged')] : [],
  devices: (value, spot) =>
    texts(value).flatMap((device) => [
      ofDocker(spot, ['devices', item(device)], device),
      needsPolicy(spot, 'allow_devices', `[${device.split(':')[0] ?? ''}]`),
    ]),
  gpus: (value, spot) => gpus(value, spot),
  runtime,
  pid: (value, spot) => [note('dropped', spot.from, `pid ${text(value)}: processes of a Tenant are its own`)],
  ipc: (value, spot) => {
    const mode = text(value);
    return [
      ofDocker(spot, ['ipc_mode'], mode),
      ...(mode === 'host' ? [needsPolicy(spot, 'allow_host_ipc')] : []),
    ];
  },
};

function networkMode(value: unknown, spot: Spot): readonly Finding[] {
  const mode = text(value);
  if (mode === '' || mode === 'bridge' || mode === 'default') return [];
  const sibling = siblingJoined(mode, spot.project);
  if (sibling === spot.service) throw new Unsayable(`${sibling} can't be in its own network`);
  if (sibling !== undefined)
    return [ofDocker(spot, ['network_mode'], `service:${spot.project.containers.get(sibling) ?? sibling}`)];
  if (mode.startsWith('service:')) throw new Unsayable(`${mode.slice('service:'.length)} does not run here`);
  const rule = mode === 'host' ? 'allow_host_network' : 'allow_join_network';
  return [ofDocker(spot, ['network_mode'], mode), ...(mode === 'none' ? [] : [needsPolicy(spot, rule)])];
}

function networks(value: unknown, spot: Spot): readonly Finding[] {
  const wishes = isDict(value) ? Object.entries(value) : texts(value).map((name) => [name, {}] as const);
  return wishes.flatMap(([name, how]) => {
    const network = dict(entryOf(spot.project.networks, name));
    const keys = dict(how);
    const inside = { ...spot, from: `${spot.from}.${name}` };
    const foreign = isForeign(network) ? engineName(name, network) : undefined;
    return [
      ...(foreign === undefined ? [] : foreignNetwork(foreign, keys, inside)),
      ...Object.keys(keys).flatMap((key) => networkKey(key, keys[key], { ...inside, foreign })),
    ];
  });
}

function foreignNetwork(name: string, { aliases }: Dict, spot: Spot): readonly Finding[] {
  const isKnown = texts(aliases ?? []).includes(spot.service);
  return [
    ofDocker(spot, ['networks', item(name)], name),
    needsPolicy(spot, 'allow_networks', `[${name}]`),
    ...(isKnown
      ? []
      : [
          note(
            'changed',
            spot.from,
            `others there know no ${spot.service}: say network_aliases where they name it`,
          ),
        ]),
  ];
}

/** By which others find it in a network of theirs. Those of the file call it as its container is called. */
function aliasesThere(network: string, value: unknown, spot: Spot): readonly Finding[] {
  return [...new Set(texts(value))].flatMap((alias) => [
    ofDocker(spot, ['network_aliases', network, item(alias)], alias),
    needsPolicy(spot, 'allow_network_aliases', `[${network}/${alias}]`),
  ]);
}

function engineName(name: string, { name: own, external }: Readonly<Record<string, unknown>>): string {
  const former = isDict(external) ? external['name'] : undefined;
  return text(own ?? former ?? name);
}

function networkKey(
  key: string,
  value: unknown,
  spot: Spot & { readonly foreign: string | undefined },
): readonly Finding[] {
  const from = `${spot.from}.${key}`;
  const inside = { ...spot, from };
  if (key === 'aliases') return spot.foreign === undefined ? [] : aliasesThere(spot.foreign, value, inside);
  if (/^ipv[46]_address$/.test(key)) return address(text(value), inside);
  return [note('changed', from, "left out: the network is the Tenant's own")];
}

/** An address of its own matters to those alone who name it. */
function address(ip: string, spot: Spot): readonly Finding[] {
  if (ip === '') return [];
  return spot.project.source.split(ip).length > 2
    ? [
        note(
          'dropped',
          spot.from,
          `others name ${ip}: have them name ${spot.container}, which the engine knows`,
        ),
      ]
    : [note('changed', spot.from, 'left out: nothing in the file names it')];
}

function logging(value: unknown, spot: Spot): readonly Finding[] {
  const { driver, options } = dict(value);
  const all = Object.entries(dict(options));
  return [
    ofDocker(spot, ['logging', 'driver'], driver === undefined ? 'json-file' : text(driver)),
    ...all.map(([name, option]) => ofDocker(spot, ['logging', 'options', name], text(option), `.${name}`)),
  ];
}

function securityOption(option: string, spot: Spot): readonly Finding[] {
  const [name = '', value = 'true'] = option.split(/[:=]/);
  const isOfPrivileges = name === 'no-new-privileges';
  // That is how every container begins.
  if (isOfPrivileges && value === 'true') return [];
  return [
    ofDocker(spot, ['security_opt', item(option)], option),
    isOfPrivileges
      ? needsPolicy(spot, 'allow_setuid')
      : needsPolicy(spot, 'allow_security_opt', `[${JSON.stringify(option)}]`),
  ];
}

/** `all`, or what is asked for of each; -1: all. */
export function gpus(value: unknown, spot: Spot): readonly Finding[] {
  const count = isDict(value) || Array.isArray(value) ? gpuCount(list(value), spot) : text(value);
  return [
    ofDocker(spot, ['gpus'], count === 'all' || count === '-1' ? 'all' : number(count)),
    needsPolicy(spot, 'allow_gpus'),
  ];
}

/** The one for GPUs is how they were asked for before there was a key for them. */
function runtime(value: unknown, spot: Spot): readonly Finding[] {
  const name = text(value);
  if (name === 'runc') return [];
  if (name === 'nvidia') return spot.keys['gpus'] === undefined ? gpus('all', spot) : [];
  throw new Unsayable(`no field of a Tenant names the runtime ${name}`);
}

function gpuCount(wishes: readonly unknown[], spot: Spot): string {
  const [wish, ...others] = wishes.map(dict);
  const isPlain =
    wish !== undefined &&
    others.length === 0 &&
    wish['device_ids'] === undefined &&
    wish['options'] === undefined;
  if (!isPlain)
    throw new Unsayable(
      `devices of the host by id, or of several kinds: ${spot.container} can name a count alone`,
    );
  return wish['count'] === undefined ? 'all' : text(wish['count']);
}

const local = new Set(['bridge', 'default', '']);

/** What the file says of networks themselves. */
export function networkNotes(networks: Dict): readonly Finding[] {
  const own = Object.values(networks).filter((network) => !isForeign(isDict(network) ? network : {}));
  return [
    ...(own.length > 1
      ? [note('changed', 'networks', 'all services share the one network of the Tenant')]
      : []),
    ...Object.entries(networks).flatMap(([name, value]) =>
      sayable(`networks.${name}`, () => notesOfNetwork(`networks.${name}`, dict(value))),
    ),
  ];
}

/** Whether somebody else keeps it. */
function isForeign({ external }: Dict): boolean {
  return external !== undefined && external !== null && external !== 'false';
}

function notesOfNetwork(from: string, network: Dict): readonly Finding[] {
  const driver = typeof network['driver'] === 'string' ? network['driver'] : '';
  return [
    ...(local.has(driver) || driver === 'overlay'
      ? []
      : [note('dropped', `${from}.driver`, `${driver}: the network of a Tenant is a bridge`)]),
    ...(bool(network['internal'] ?? 'false')
      ? [
          note(
            'changed',
            `${from}.internal`,
            'left out: the network of a Tenant leads outside, and all share it',
          ),
        ]
      : []),
    ...Object.keys(network)
      .filter((key) => ['ipam', 'driver_opts', 'enable_ipv6', 'enable_ipv4', 'attachable'].includes(key))
      .map((key) => note('changed', `${from}.${key}`, "left out: the network is the Tenant's own")),
  ];
}
