import { hostsIn } from '../../src/convert/names.ts';

/** What a converted file says, with one image of ours in place of all: it does for each container what its own would. */

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: ConvertedSpec;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConvertedSpec {
  readonly containers: readonly ConvertedContainer[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly persistent?: object;
    readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string }[] };
  }[];
  readonly computeConfig?: { readonly docker?: Readonly<Record<string, unknown>> };
}

export interface ConvertedContainer {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly dependsOn?: readonly { readonly container: string; readonly condition?: string }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly readOnly?: boolean;
    readonly subPath?: string;
  }[];
  readonly ports?: readonly { readonly containerPort: number; readonly hostPort?: number }[];
  readonly command?: readonly string[];
  readonly platform?: string;
  readonly ulimits?: readonly object[];
  readonly healthCheck?: {
    readonly disable?: boolean;
    readonly command?: readonly string[];
    readonly intervalSeconds?: number;
    readonly timeoutSeconds?: number;
  };
  readonly capabilities?: { readonly add?: readonly string[] };
  readonly sysctls?: readonly { readonly name: string }[];
  readonly resources?: { readonly memory?: string };
  readonly user?: string;
}

/** Soon, and however long a busy machine takes to ask. */
export const patientCheck = { command: ['/bin/ok'], intervalSeconds: 2, timeoutSeconds: 120 };

/**
 * A server that names others, in its variables or as what it waits for, ends until they answer; a job does its work once they do.
 * What is of this machine alone goes: ports and paths of the host, its devices, its networks, its cores, and the limits that it grants.
 */
export function withStandIns(spec: ConvertedSpec, image: string): ConvertedSpec {
  const needs = needsOf(spec.containers);
  const { computeConfig: _ofTheHost, ...rest } = spec;
  return {
    ...rest,
    containers: spec.containers.map((container) => ({
      ...withoutTheHost(container),
      image,
      args: [isJob(container) ? 'job' : 'needs', ...(needs.get(container.name) ?? [])],
      ...(hasCheck(container) ? { healthCheck: patientCheck } : {}),
    })),
  };
}

/** Keys of Secrets that its volumes name, with something in them: a conversion only says what is needed. */
export function neededSecrets({ volumes = [] }: ConvertedSpec): ReadonlyMap<string, Record<string, string>> {
  const keys = volumes.flatMap(({ secret }) =>
    (secret?.items ?? []).map(({ key }) => ({ name: secret?.secretName ?? '', key })),
  );
  return new Map(
    [...Map.groupBy(keys, ({ name }) => name)].map(([name, all]) => [
      name,
      Object.fromEntries(all.map(({ key }) => [key, 'secret'])),
    ]),
  );
}

export function isJob({ restartPolicy }: ConvertedContainer): boolean {
  return restartPolicy === 'Never' || restartPolicy === 'OnFailure';
}

/** Whether it can run beside its successor: the two do not write to one volume. */
export function hasNoGap(container: ConvertedContainer, { volumes = [] }: ConvertedSpec): boolean {
  const kept = new Set(volumes.filter(({ persistent }) => persistent !== undefined).map(({ name }) => name));
  return !(container.volumeMounts ?? []).some(({ name, readOnly }) => kept.has(name) && readOnly !== true);
}

function hasCheck({ healthCheck }: ConvertedContainer): boolean {
  return healthCheck !== undefined && healthCheck.disable !== true;
}

function withoutTheHost(container: ConvertedContainer): ConvertedContainer {
  const {
    resources,
    user,
    ports,
    command: _program,
    platform: _processor,
    ulimits: _rights,
    ...said
  } = container;
  return {
    ...said,
    ...(ports === undefined ? {} : { ports: ports.map(({ hostPort: _fixed, ...port }) => port) }),
    ...(resources?.memory === undefined ? {} : { resources: { memory: resources.memory } }),
    // There is no list of users in the image.
    ...(user === undefined ? {} : { user: /^[0-9:]+$/.test(user) ? user : '65534' }),
  };
}

/** Whom each must reach before it serves: what it waits for, and those that it names, but for who needs it in turn. */
function needsOf(containers: readonly ConvertedContainer[]): ReadonlyMap<string, ReadonlySet<string>> {
  const servers = new Set(containers.filter((one) => !isJob(one)).map(({ name }) => name));
  const needs = new Map(containers.map(({ name }) => [name, new Set<string>()]));
  const reaches = (from: string, to: string): boolean =>
    from === to || [...(needs.get(from) ?? [])].some((next) => reaches(next, to));
  const add = (name: string, other: string): void => {
    if (servers.has(other) && !reaches(other, name)) needs.get(name)?.add(other);
  };
  for (const { name, dependsOn = [] } of containers)
    for (const { container } of dependsOn) add(name, container);
  for (const { name, env = [] } of containers)
    for (const { value } of env) for (const { word } of hostsIn(value)) add(name, word);
  return needs;
}
