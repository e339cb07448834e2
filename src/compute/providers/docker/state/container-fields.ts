import { hashedCheck } from '../../../../api/container/health-check.ts';
import { memoryBytes, nanoCpus } from '../../../../api/quantity.ts';
import type { ContainerSpec } from '../../../spec/tenant-compute-spec.ts';
import type { LiveSettings } from './live-settings.ts';

/**
 * What follows from a change of each field of a container's spec. The spec hash, and with it the diff, comes from
 * here: a field that no rule is written for does not compile.
 */
export const containerFields = {
  // One container alone bears the tenant's name, whatever its own is.
  name: { change: 'rollout', by: 'name on the engine' },
  image: { change: 'rollout', by: 'hash', hashed: ({ image }) => image },
  command: { change: 'rollout', by: 'hash', hashed: ({ command }) => command },
  args: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ args }) => unlessEmpty(args),
  },
  env: { change: 'rollout', by: 'hash', hashed: ({ env }) => env.toSorted(byKey(({ name }) => name)) },
  // The name of a port is for the status alone.
  ports: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ ports = [] }) => hashedPorts(ports),
  },
  healthCheck: { change: 'rollout', by: 'hash', hashed: ({ healthCheck }) => hashedCheck(healthCheck) },
  resources: {
    change: 'live',
    live: ({ resources: { cpu, memory } }) => ({
      nanoCpus: cpu === undefined ? 0 : nanoCpus(cpu),
      memoryBytes: memory === undefined ? 0 : memoryBytes(memory),
    }),
  },
  workingDir: { change: 'rollout', by: 'hash', hashed: ({ workingDir }) => workingDir },
  user: { change: 'rollout', by: 'hash', hashed: ({ user }) => user },
  stopSignal: { change: 'rollout', by: 'hash', hashed: ({ stopSignal }) => stopSignal },
  stopGracePeriodSeconds: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ stopGracePeriodSeconds }) => stopGracePeriodSeconds,
  },
  // Its confinement's, where the block may say so for all.
  init: { change: 'rollout', by: 'confinement' },
  hostname: { change: 'rollout', by: 'hash', hashed: ({ hostname }) => hostname },
  // What is not so unless it is said to be is the same whether or not that is said.
  readOnlyRootFilesystem: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ readOnlyRootFilesystem }) => readOnlyRootFilesystem || undefined,
  },
  tty: { change: 'rollout', by: 'hash', hashed: ({ tty }) => tty || undefined },
  stdin: { change: 'rollout', by: 'hash', hashed: ({ stdin }) => stdin || undefined },
  shmSize: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ shmSize }) => (shmSize === undefined ? undefined : memoryBytes(shmSize)),
  },
  ulimits: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ ulimits }) => unlessEmpty(ulimits?.toSorted(byKey(({ name }) => name))),
  },
  extraHosts: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ extraHosts }) => unlessEmpty(extraHosts?.toSorted(byKey(({ hostname }) => hostname))),
  },
  volumeMounts: { change: 'rollout', by: 'mounts' },
  // They are asked in this order.
  dns: { change: 'rollout', by: 'hash', hashed: ({ dns }) => unlessEmpty(dns) },
  capabilities: { change: 'rollout', by: 'confinement' },
  sysctls: {
    change: 'rollout',
    by: 'hash',
    hashed: ({ sysctls }) => unlessEmpty(sysctls?.toSorted(byKey(({ name }) => name))),
  },
  dependsOn: {
    change: 'nothing',
    tried: ({ dependsOn = [] }) =>
      unlessEmpty(
        dependsOn
          .map(({ container, condition = 'Started' }) => ({ container, condition }))
          .toSorted(byKey(({ container }) => container)),
      ),
  },
  restartPolicy: {
    change: 'live',
    live: ({ restartPolicy }) =>
      restartPolicy === undefined ? {} : { restartPolicy: restartPolicies[restartPolicy] },
  },
  essential: { change: 'nothing', tried: ({ essential }) => (essential === false ? false : undefined) },
  platform: { change: 'rollout', by: 'hash', hashed: ({ platform }) => platform },
} as const satisfies ContainerFieldRules;

const restartPolicies = { Always: 'unless-stopped', OnFailure: 'on-failure', Never: 'no' } as const;

function unlessEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list?.length === 0 ? undefined : list;
}

type Ports = NonNullable<ContainerSpec['ports']>;

/** A container's ports with the host ports of each. */
export function byContainerPort(ports: Ports): readonly (readonly [key: string, same: Ports])[] {
  const groups = Map.groupBy(
    ports,
    ({ containerPort, protocol }) => `${containerPort}/${protocol.toLowerCase()}`,
  );
  return [...groups];
}

/** Several host ports of one container port are a form of their own: a container of before has but one of them. */
function hashedPorts(ports: Ports): readonly unknown[] {
  return byContainerPort(ports)
    .toSorted(byKey(([key]) => key.toUpperCase()))
    .map(([, same]) => {
      const [{ containerPort, hostPort, protocol } = {}] = same;
      if (same.length === 1) return { containerPort, hostPort, protocol };
      const hostPorts = same.map((port) => port.hostPort ?? 0).toSorted((a, b) => a - b);
      return { containerPort, hostPorts, protocol };
    });
}

export type ContainerFieldRules = Readonly<Record<keyof ContainerSpec, FieldRule>>;

type FieldRule =
  /** A successor takes the container's place. */
  | { readonly change: 'rollout'; readonly by: 'hash'; readonly hashed: (spec: ContainerSpec) => unknown }
  | { readonly change: 'rollout'; readonly by: 'name on the engine' | 'confinement' | 'mounts' }
  /** It is changed while the container runs. */
  | { readonly change: 'live'; readonly live: (spec: ContainerSpec) => Partial<LiveSettings> }
  /** No container is another one for it; an attempt that has failed may go otherwise. */
  | { readonly change: 'nothing'; readonly tried: (spec: ContainerSpec) => unknown };

/** What the hash of a container covers of its spec. */
export function hashedFields(spec: ContainerSpec): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries<FieldRule>(containerFields).flatMap(([field, rule]) =>
      'hashed' in rule ? [[field, rule.hashed(spec)]] : [],
    ),
  );
}

/** What makes another attempt of the same containers; empty: nothing. */
export function triedFields(spec: ContainerSpec): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries<FieldRule>(containerFields).flatMap(([field, rule]) => {
      const tried = rule.change === 'nothing' ? rule.tried(spec) : undefined;
      return tried === undefined ? [] : [[field, tried]];
    }),
  );
}

/** `ofTheBlock`: those that all containers have from the block. */
export function liveSettingsOf(
  spec: ContainerSpec,
  ofTheBlock: Pick<LiveSettings, 'pidsLimit' | 'restartPolicy'>,
): LiveSettings {
  return Object.values<FieldRule>(containerFields).reduce<LiveSettings>(
    (settings, rule) => (rule.change === 'live' ? { ...settings, ...rule.live(spec) } : settings),
    { nanoCpus: 0, memoryBytes: 0, ...ofTheBlock },
  );
}

function byKey<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [left, right] = [key(a), key(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
}
