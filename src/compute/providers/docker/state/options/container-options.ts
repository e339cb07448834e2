import { posix } from 'node:path';
import { isListed } from '../../../../policy.ts';
import type { ContainerOptionsConfig } from '../../config/container-options.ts';
import { foreignAliases } from '../network/foreign-aliases.ts';
import type { NetworkAliases } from '../network/foreign-aliases.ts';
import { foreignNetworks } from '../network/foreign-networks.ts';
import { logOf } from './container-log.ts';
import type { ContainerLog } from './container-log.ts';
import { isAboutPrivileges } from './new-privileges.ts';
import { refused } from './options-asking.ts';
import type { OptionsAsking } from './options-asking.ts';

/** What one container has of Docker beside what all of a tenant have. Pure. */

/** All of it is hashed; what is not said is undefined, and no part of the hash. */
export interface ContainerOptions {
  readonly privileged?: true | undefined;
  readonly devices?: readonly Device[] | undefined;
  /** -1: all. */
  readonly gpus?: number | undefined;
  /** Besides no-new-privileges. */
  readonly securityOptions?: readonly string[] | undefined;
  readonly ipcMode?: ContainerOptionsConfig['ipc_mode'];
  readonly log?: ContainerLog | undefined;
  /** Besides its own. */
  readonly networks?: readonly string[] | undefined;
  /** By which names others find it there. */
  readonly networkAliases?: NetworkAliases | undefined;
}

interface Device {
  readonly host: string;
  readonly container: string;
  /** r, w and m, for mknod. */
  readonly rights: string;
}

/** Undefined: it has none. Throws PolicyDenied, naming the rule, and InvalidSpec. */
export function containerOptions(asking: OptionsAsking): ContainerOptions | undefined {
  const { asked, own, policy } = asking;
  if (asked.privileged === true && own.privileged !== true && !policy.allow_privileged) {
    throw refused(asking, 'allow_privileged', 'privileged is not allowed');
  }
  if (asked.gpus !== undefined && asked.gpus !== own.gpus && !policy.allow_gpus) {
    throw refused(asking, 'allow_gpus', 'gpus are not allowed');
  }
  if (asked.ipc_mode === 'host' && own.ipc_mode !== 'host' && !policy.allow_host_ipc) {
    throw refused(asking, 'allow_host_ipc', 'ipc_mode host is not allowed');
  }
  const options: ContainerOptions = {
    privileged: asked.privileged === true ? true : undefined,
    devices: devicesOf(asking),
    gpus: asked.gpus === 'all' ? -1 : asked.gpus,
    securityOptions: securityOptionsOf(asking),
    ipcMode: asked.ipc_mode,
    log: logOf(asking),
    networks: foreignNetworks(asking),
    networkAliases: foreignAliases(asking),
  };
  return Object.values(options).every((value) => value === undefined) ? undefined : options;
}

function devicesOf(asking: OptionsAsking): readonly Device[] | undefined {
  const { asked, own, policy } = asking;
  const devices = (asked.devices ?? []).map((text) => {
    const device = parseDevice(text);
    const isAllowed = isListed(policy.allow_devices, device.host);
    if (isAllowed || own.devices?.includes(text) === true) return device;
    throw refused(asking, 'allow_devices', `device ${device.host} is not allowed`);
  });
  if (devices.length === 0) return undefined;
  return devices.toSorted((a, b) => (a.container < b.container ? -1 : 1));
}

/** A path that leads elsewhere by `..` is what it leads to. */
function parseDevice(text: string): Device {
  const [host = '', ...more] = text.split(':');
  const container = more.find((part) => part.startsWith('/'));
  const rights = more.find((part) => !part.startsWith('/'));
  const path = posix.normalize(host);
  return { host: path, container: container ?? path, rights: rights ?? 'rwm' };
}

function securityOptionsOf(asking: OptionsAsking): readonly string[] | undefined {
  const { asked, own, policy } = asking;
  const others = (asked.security_opt ?? []).filter((text) => !isAboutPrivileges(text));
  const options = [...new Set(others.map(withEquals))].toSorted();
  const beyond = options.find(
    (option) =>
      !isListed(policy.allow_security_opt.map(withEquals), option) &&
      own.security_opt?.some((text) => withEquals(text) === option) !== true,
  );
  if (beyond !== undefined)
    throw refused(asking, 'allow_security_opt', `security_opt ${beyond} is not allowed`);
  return options.length === 0 ? undefined : options;
}

/** As the engine has it of late: `seccomp:unconfined` is the form of before. */
function withEquals(option: string): string {
  return option.replace(/^([a-z]+):/, '$1=');
}
