import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { memoryBytes } from '../../../../../api/quantity.ts';
import { ComputeError } from '../../../../errors.ts';
import { checkSysctls } from './sysctls.ts';
import type { SysctlRules } from './sysctls.ts';

/** What a container's process is given, in the engine's words. Pure. */

interface Settings {
  readonly config: Readonly<Record<string, unknown>>;
  readonly host: Readonly<Record<string, unknown>>;
}

/** What is not named is left out, and stays as the image or the engine has it. */
export function processSettings(spec: ContainerSpec): Settings {
  const { workingDir, user, stopSignal, stopGracePeriodSeconds, hostname, tty, stdin } = spec;
  const { readOnlyRootFilesystem, shmSize, ulimits = [], extraHosts = [], dns = [], sysctls = [] } = spec;
  return {
    config: named({
      WorkingDir: workingDir,
      User: user,
      StopSignal: stopSignal,
      StopTimeout: stopGracePeriodSeconds,
      Hostname: hostname,
      Tty: tty,
      OpenStdin: stdin,
    }),
    host: named({
      ReadonlyRootfs: readOnlyRootFilesystem,
      ShmSize: shmSize && memoryBytes(shmSize),
      Ulimits: listed(ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }))),
      ExtraHosts: listed(extraHosts.map(({ hostname: name, ip }) => `${name}:${ip}`)),
      Dns: listed(dns),
      Sysctls:
        sysctls.length === 0
          ? undefined
          : Object.fromEntries(sysctls.map(({ name, value }) => [name, value])),
    }),
  };
}

function named(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function listed<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

const ofTheNetwork = ['hostname', 'extraHosts', 'dns'] as const;

/** Throws as checkSysctls does, and InvalidSpec for what another container's network has already, and for a hostname where that is the host's. */
export function checkProcess(container: ContainerSpec, rules: SysctlRules): void {
  checkSysctls(container, rules);
  const { network } = rules;
  if (network.kind !== 'mode' || network.name === 'none') return;
  const shared = network.name === 'host' ? (['hostname'] as const) : ofTheNetwork;
  const field = shared.find((name) => container[name] !== undefined);
  if (field === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `container ${container.name}: ${field} can't be set with network_mode ${network.name}, which has its own. Leave it out`,
  );
}
