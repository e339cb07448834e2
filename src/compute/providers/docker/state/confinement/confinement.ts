import type { Capability } from '../../../../../api/capabilities.ts';
import type { ComputeResources } from '../../../../../api/compute-fields.ts';
import { denied } from '../../../../policy.ts';
import type { CommonPolicy } from '../../../../policy.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../config.ts';
import type { ContainerOptions } from '../options/container-options.ts';
import { newPrivilegesOf } from '../options/new-privileges.ts';
import type { OptionsAsking } from '../options/options-asking.ts';
import type { Asking } from './asking.ts';
import { boundedLogOptions } from './bounded-log.ts';
import { capabilitiesOf, capabilitiesOfBlock } from './capabilities.ts';

/** What keeps a container from its host, as far as it is settled when the container is made. Pure. */
export interface Confinement {
  /** Rights of the host's root that root in the container has, in order. */
  readonly capabilities: readonly Capability[];
  /** Whether setuid programs and file capabilities give rights. */
  readonly newPrivileges: boolean;
  /** Whether its log is kept within bounds; otherwise the engine's own configuration says how. */
  readonly boundedLog: boolean;
  /** Whether the engine's small init is its process 1. */
  readonly init: boolean;
}

/** More processes and threads than this are hardly one service's; a fork bomb ends here. */
export const defaultPidsLimit = 1024;

/** That of every container. Throws PolicyDenied, naming the rule. */
export function confinementOf({ config, block, policy }: Asking): Confinement {
  const { no_new_privileges: isHeld = true, init = false } = config;
  if (!isHeld && !policy.allow_setuid && block.no_new_privileges !== false) {
    throw denied('docker.allow_setuid', 'no_new_privileges: false is not allowed', 'Leave it out');
  }
  return {
    capabilities: capabilitiesOfBlock({ config, block, policy }),
    newPrivileges: !isHeld,
    boundedLog: !isUnlimited({ config, block, policy }, 'log'),
    init,
  };
}

/** That of one container, where it says otherwise than all. Throws PolicyDenied, naming the rule. */
export function confinementOfContainer(
  container: ContainerSpec,
  ofAll: Confinement,
  asking: OptionsAsking,
): Confinement {
  const { init = ofAll.init } = container;
  const newPrivileges = newPrivilegesOf(asking, ofAll.newPrivileges);
  const capabilities = capabilitiesOf(container, ofAll.capabilities, asking);
  return { ...ofAll, init, newPrivileges, capabilities };
}

/** 0: no limit. Throws PolicyDenied, naming the rule. */
export function pidsLimitOf(asking: Asking): number {
  const { config, block, policy } = asking;
  if (isUnlimited(asking, 'pids')) return 0;
  const { pids_limit: limit = defaultPidsLimit } = config;
  const most = Math.max(defaultPidsLimit, block.pids_limit ?? 0);
  if (limit <= most || policy.allow_unlimited) return limit;
  throw denied('docker.allow_unlimited', `pids_limit ${limit} is more than ${most}`, 'Ask for less');
}

/** Whether the container is to have no bound on it. Throws PolicyDenied, naming the rule. */
export function isUnlimited(
  { config, block, policy }: Asking,
  what: NonNullable<DockerConfig['unlimited']>[number],
): boolean {
  if (config.unlimited?.includes(what) !== true) return false;
  if (policy.allow_unlimited || block.unlimited?.includes(what) === true) return true;
  throw denied('docker.allow_unlimited', `unlimited: [${what}] is not allowed`, 'Leave it out');
}

/** The limits of containers that name none. Throws PolicyDenied, naming the rule. */
export function defaultResourcesOf(
  asking: Asking,
  { default_resources: { cpu, memory } }: CommonPolicy,
): ComputeResources {
  return {
    ...(isUnlimited(asking, 'cpu') || cpu === '' ? {} : { cpu }),
    ...(isUnlimited(asking, 'memory') || memory === '' ? {} : { memory }),
  };
}

export const engineDefault = 'as the engine has it';

interface ConfinementField {
  /** Below the container's, in a report of changes. */
  readonly path: string;
  readonly show: (confinement: Confinement) => string;
  /** What an inspect says of it, in the same words. */
  readonly read: (hostConfig: ConfiningSettings) => string;
}

/** What an inspect tells of it. */
export interface ConfiningSettings {
  readonly CapAdd?: readonly string[] | null | undefined;
  readonly CapDrop?: readonly string[] | null | undefined;
  readonly SecurityOpt?: readonly string[] | null | undefined;
  readonly LogConfig?: { readonly Config?: Readonly<Record<string, string>> | null | undefined } | undefined;
  readonly Init?: boolean | null | undefined;
}

const confinementFields = {
  capabilities: {
    path: 'capabilities',
    show: ({ capabilities }) => listedCapabilities(capabilities),
    read: ({ CapAdd, CapDrop }) =>
      CapDrop?.includes('ALL') === true
        ? listedCapabilities((CapAdd ?? []).map((name) => name.replace(/^CAP_/, '')).toSorted())
        : engineDefault,
  },
  newPrivileges: {
    path: 'noNewPrivileges',
    show: ({ newPrivileges }) => `${!newPrivileges}`,
    read: ({ SecurityOpt }) =>
      `${SecurityOpt?.some((option) => /^no-new-privileges([:=]true)?$/.test(option)) === true}`,
  },
  boundedLog: {
    path: 'log',
    show: ({ boundedLog }) => (boundedLog ? logSize(boundedLogOptions) : engineDefault),
    read: ({ LogConfig }) => logSize(LogConfig?.Config ?? {}),
  },
  init: {
    path: 'init',
    show: ({ init }) => `${init}`,
    read: ({ Init }) => `${Init === true}`,
  },
} as const satisfies Readonly<Record<keyof Confinement, ConfinementField>>;

function listedCapabilities(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(' ');
}

function logSize({ 'max-size': size, 'max-file': files = '1' }: Readonly<Record<string, string>>): string {
  return size === undefined ? engineDefault : `${files} files of ${size}`;
}

/** The confinement of a container in words, by its fields: what an inspect says. */
export type ToldConfinement = Readonly<Record<keyof Confinement, string>>;

const fields = Object.entries(confinementFields) as [keyof Confinement, ConfinementField][];

export function readConfinement(settings: ConfiningSettings): ToldConfinement {
  return Object.fromEntries(fields.map(([name, { read }]) => [name, read(settings)])) as ToldConfinement;
}

export function describeConfinement(confinement: Confinement): ToldConfinement {
  return Object.fromEntries(fields.map(([name, { show }]) => [name, show(confinement)])) as ToldConfinement;
}

interface Confined {
  readonly confinement: Confinement;
  readonly options?: Pick<ContainerOptions, 'log'> | undefined;
}

interface ConfinementDifference {
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
}

/** The first thing that confines a container otherwise than desired. */
export function confinementDifference(
  wanted: Confined,
  actual: ToldConfinement,
): ConfinementDifference | undefined {
  return confinementDifferences(wanted, actual)[0];
}

/** All that does so, but for a log of its own. */
export function confinementDifferences(
  { confinement, options }: Confined,
  actual: ToldConfinement,
): readonly ConfinementDifference[] {
  const wanted = describeConfinement(confinement);
  const hasLog = options?.log !== undefined;
  return fields
    .filter(([name]) => wanted[name] !== actual[name] && !(hasLog && name === 'boundedLog'))
    .map(([name, { path }]) => ({ path, desired: wanted[name], actual: actual[name] }));
}
