import { pinnedImage, parseImageReference } from '../../../../spec/image-reference.ts';
import { confinementDifferences, readConfinement } from '../confinement/confinement.ts';
import { byContainerPort } from '../container-fields.ts';
import { environmentLine } from '../container-hashes.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { liveDifferences } from '../live-settings.ts';
import type { Inspected } from '../observed-container.ts';
import { optionSettings } from '../options/option-settings.ts';
import { engineHealthCheck } from '../process/health-check.ts';
import { processSettings } from '../process/process-settings.ts';
import { isAnonymous } from '../volumes/image-volumes.ts';
import type { ForeignDifference } from './foreign.ts';
import type { ForeignImage, ForeignInspect } from './foreign-inspect.ts';

/**
 * In what a container that bears no hash of ours differs from the spec: field by field, by what the engine tells of it. What it
 * has of its environment is nobody's to read: a difference names the variable alone. Pure.
 */

interface Found {
  readonly inspect: ForeignInspect;
  readonly inspected: Inspected;
  /** Of its image; undefined: the engine has it no more. */
  readonly image: ForeignImage | undefined;
}

export function foreignDifferences(desired: DesiredContainer, found: Found): readonly ForeignDifference[] {
  return comparisons.flatMap((compare) => compare(desired, found));
}

type Compare = (desired: DesiredContainer, found: Found) => readonly ForeignDifference[];

const comparisons: readonly Compare[] = [
  image,
  command,
  environment,
  ports,
  mounts,
  network,
  labels,
  healthCheck,
  process,
  ({ live }, { inspected }) =>
    liveDifferences(live, inspected.live).map(({ path, desired, actual }) => ({ path, desired, actual })),
  (desired, { inspect: { HostConfig } }) => confinementDifferences(desired, readConfinement(HostConfig)),
];

function differ(path: string, desired: unknown, actual: unknown): readonly ForeignDifference[] {
  if (JSON.stringify(desired) === JSON.stringify(actual)) return [];
  return [{ path, desired: text(desired), actual: text(actual) }];
}

function text(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** By what the names mean: `nginx` is `docker.io/library/nginx:latest`. What runs by an image's id has the names of that. */
function image(
  { spec }: DesiredContainer,
  { inspect: { Config }, image: own }: Found,
): readonly ForeignDifference[] {
  const wanted = fullName(spec.image);
  const names = Config.Image.startsWith('sha256:') ? (own?.names ?? []) : [Config.Image];
  if (names.some((name) => fullName(name) === wanted)) return [];
  return [{ path: 'image', desired: spec.image, actual: names[0] ?? Config.Image }];
}

function fullName(reference: string): string {
  return pinnedImage(parseImageReference(reference));
}

/** Where the spec names neither, they are the image's; a command of its own drops the image's arguments. */
function command(
  { spec: { command: entrypoint, args } }: DesiredContainer,
  { inspect: { Config }, image: own }: Found,
): readonly ForeignDifference[] {
  const isKnown = own !== undefined;
  const wanted = entrypoint ?? words(own?.Entrypoint);
  const wantedArgs = args ?? (entrypoint === undefined ? words(own?.Cmd) : []);
  return [
    ...(entrypoint !== undefined || isKnown ? differ('command', [...wanted], words(Config.Entrypoint)) : []),
    ...(args !== undefined || isKnown ? differ('args', [...wantedArgs], words(Config.Cmd)) : []),
  ];
}

function words(list: readonly string[] | string | null | undefined): string[] {
  if (list === undefined || list === null) return [];
  return typeof list === 'string' ? [list] : [...list];
}

function environment(
  { spec }: DesiredContainer,
  { inspect: { Config }, image: own }: Found,
): readonly ForeignDifference[] {
  const lines = new Set(Config.Env);
  const wanted = new Set(spec.env.map(({ name }) => name));
  const set = (some: readonly string[]): Set<string> => new Set(some.map((line) => line.split('=')[0] ?? ''));
  const there = set(Config.Env ?? []);
  const missing = spec.env.flatMap((variable): ForeignDifference[] => {
    const value = 'value' in variable ? variable.value : variable.secret?.reveal();
    if (value === undefined || lines.has(environmentLine(variable, value))) return [];
    const actual = there.has(variable.name) ? 'another value' : 'not set';
    return [{ path: `env.${variable.name}`, desired: 'the value of the spec', actual }];
  });
  if (own === undefined) return missing;
  const ofImage = new Set(own.Env);
  const more = [...lines].filter((line) => !ofImage.has(line)).map((line) => line.split('=')[0] ?? '');
  return [
    ...missing,
    ...more
      .filter((name) => !wanted.has(name))
      .map((name) => ({ path: `env.${name}`, desired: 'not set', actual: 'set' })),
  ];
}

function ports(
  { spec, network: { kind }, bindAddress }: DesiredContainer,
  { inspect: { HostConfig } }: Found,
): readonly ForeignDifference[] {
  const bound = (HostConfig.PortBindings ?? {}) as Readonly<
    Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
  >;
  const wanted = kind === 'mode' ? [] : byContainerPort(spec.ports ?? []);
  const desired = new Map(
    wanted.map(([key, same]) => [key, same.map(({ hostPort = 0 }) => hostText(bindAddress, hostPort))]),
  );
  const actual = new Map(
    Object.entries(bound).map(([key, hosts]) => [
      key,
      (hosts ?? []).map(({ HostIp = '', HostPort = '' }) => hostText(HostIp, Number(HostPort))),
    ]),
  );
  const keys = [...new Set([...desired.keys(), ...actual.keys()])].toSorted();
  return keys.flatMap((key) => differ(`ports.${key}`, hostsOf(desired, key), hostsOf(actual, key)));
}

/** An empty address is all of them. */
function hostText(address: string, port: number): string {
  return `${address === '' ? '0.0.0.0' : address}:${port === 0 ? 'any' : port}`;
}

function hostsOf(ports: ReadonlyMap<string, readonly string[]>, key: string): string | undefined {
  return ports.get(key)?.toSorted().join(', ');
}

/** By where they are mounted. Volumes that nobody named are the image's, and go on to whatever takes its place. */
function mounts(desired: DesiredContainer, { inspect }: Found): readonly ForeignDifference[] {
  const { volumes, files, tmpfs } = desired;
  const wanted = new Map<string, string>([
    ...volumes.map((one): [string, string] => [one.target, mountText(one.source, one.readOnly)]),
    ...files.map((one): [string, string] => [one.target, mountText(one.source, true)]),
    ...tmpfs.map((one): [string, string] => [one.target, 'tmpfs']),
  ]);
  const memory = Object.keys(inspect.HostConfig.Tmpfs ?? {}).map((path): [string, string] => [path, 'tmpfs']);
  const named = (inspect.Mounts ?? []).flatMap(
    ({ Type, Name, Source, Destination, RW }): [string, string][] => {
      if (Type === 'tmpfs') return [[Destination, 'tmpfs']];
      const source = Type === 'volume' ? (Name ?? '') : Source;
      return Type === 'volume' && isAnonymous(source) ? [] : [[Destination, mountText(source, !RW)]];
    },
  );
  const actual = new Map([...memory, ...named]);
  const targets = [...new Set([...wanted.keys(), ...actual.keys()])].toSorted();
  return targets.flatMap((target) => differ(`mounts.${target}`, wanted.get(target), actual.get(target)));
}

function mountText(source: string, readOnly: boolean): string {
  return `${source}${readOnly ? ':ro' : ''}`;
}

function network(
  { network: wanted }: DesiredContainer,
  { inspect: { HostConfig } }: Found,
): readonly ForeignDifference[] {
  const { NetworkMode = '' } = HostConfig;
  // The default network has two names.
  return differ('network', wanted.name, NetworkMode === 'default' ? 'bridge' : NetworkMode);
}

/** The tenant's own, without marks; what others are there hurts nobody. */
function labels(
  { ownLabels }: DesiredContainer,
  { inspect: { Config } }: Found,
): readonly ForeignDifference[] {
  return Object.entries(ownLabels).flatMap(([key, value]) =>
    differ(`labels.${key}`, value, Config.Labels?.[key]),
  );
}

function healthCheck(
  { spec }: DesiredContainer,
  { inspect: { Config } }: Found,
): readonly ForeignDifference[] {
  if (spec.healthCheck === undefined) return [];
  const actual = (Config as { readonly Healthcheck?: unknown }).Healthcheck;
  // Nobody else mounts the probe that this could be for: whichever it is, it is another check.
  const check = engineHealthCheck(spec.healthCheck, 'amd64');
  return covers(check, actual) ? [] : differ('healthCheck', check, actual ?? undefined);
}

/** What is named of a process, and of the options of one container; the rest is the image's, or the engine's. */
function process({ spec, options }: DesiredContainer, { inspect }: Found): readonly ForeignDifference[] {
  const { config, host } = processSettings(spec);
  const named = (settings: object, actual: object): readonly ForeignDifference[] =>
    Object.entries(settings).flatMap(([key, value]) => {
      const is = (actual as Readonly<Record<string, unknown>>)[key];
      return covers(value, is) ? [] : differ(key, value, is);
    });
  return [
    ...named(config, inspect.Config),
    ...named({ ...host, ...optionSettings(options, {}) }, inspect.HostConfig),
  ];
}

/** Whether `actual` has all that is wanted: the engine adds fields of its own. */
function covers(wanted: unknown, actual: unknown): boolean {
  if (Array.isArray(wanted)) {
    const list: readonly unknown[] = Array.isArray(actual) ? actual : [];
    return wanted.length === list.length && wanted.every((one, at) => covers(one, list[at]));
  }
  if (typeof wanted !== 'object' || wanted === null) return wanted === actual;
  const fields = (actual ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([key, value]) => covers(value, fields[key]));
}
