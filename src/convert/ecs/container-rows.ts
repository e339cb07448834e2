import { item, note, placed } from '../finding.ts';
import type { Finding, Step } from '../finding.ts';
import { amount, dict, entryOf, isDict, list, named, wordOf } from '../read/scalars.ts';
import type { Dict } from '../read/scalars.ts';
import { isEmpty } from './snake-case.ts';

/** What a container definition says, in the words of spec.containers. */
interface Said {
  readonly at: readonly Step[];
  readonly value: unknown;
}

type Row = (value: unknown) => readonly Said[];

const field =
  (name: string): Row =>
  (value) => [{ at: [name], value }];

const quantity =
  (at: readonly Step[], read: (amount: number) => string): Row =>
  (value) =>
    // 0: none.
    amount(value) === 0 ? [] : [{ at, value: read(amount(value)) }];

const each =
  (name: string, keyOf: (one: Dict) => string, read: (one: Dict) => object): Row =>
  (value) =>
    list(value)
      .filter(isDict)
      .map((one) => ({ at: [name, item(keyOf(one))], value: read(one) }));

const conditions: Readonly<Record<string, string>> = {
  START: 'Started',
  HEALTHY: 'Healthy',
  SUCCESS: 'Completed',
  COMPLETE: 'Completed',
};

/** Thousandths of a core: ECS' unit is a 1024th. */
const millis = (units: number): string => `${Math.max(1, Math.round((units * 1000) / 1024))}m`;
const mebibytes = (amount: number): string => `${amount}Mi`;

const rows: Readonly<Record<string, Row>> = {
  image: field('image'),
  entryPoint: field('command'),
  command: field('args'),
  essential: (value) => (value === false ? [{ at: ['essential'], value }] : []),
  workingDirectory: field('workingDir'),
  user: field('user'),
  hostname: field('hostname'),
  readonlyRootFilesystem: field('readOnlyRootFilesystem'),
  pseudoTerminal: field('tty'),
  interactive: field('stdin'),
  stopTimeout: field('stopGracePeriodSeconds'),
  dnsServers: field('dns'),
  cpu: quantity(['resources', 'cpu'], millis),
  memory: quantity(['resources', 'memory'], mebibytes),
  environment: each(
    'env',
    ({ name }) => named(name),
    ({ name, value }) => ({ name, value }),
  ),
  portMappings: each(
    'ports',
    ({ containerPort, protocol }) => `${named(containerPort)}/${named(protocol)}`,
    portOf,
  ),
  ulimits: each(
    'ulimits',
    ({ name }) => named(name),
    ({ name, softLimit, hardLimit }) => ({ name, soft: softLimit, hard: hardLimit }),
  ),
  extraHosts: each(
    'extraHosts',
    ({ hostname }) => named(hostname),
    ({ hostname, ipAddress }) => ({ hostname, ip: ipAddress }),
  ),
  systemControls: each(
    'sysctls',
    ({ namespace }) => named(namespace),
    ({ namespace, value }) => ({ name: namespace, value }),
  ),
  dependsOn: each(
    'dependsOn',
    ({ containerName }) => named(containerName),
    ({ containerName, condition }) => ({
      container: containerName,
      condition: entryOf(conditions, named(condition)),
    }),
  ),
  healthCheck: (value) => [{ at: ['healthCheck'], value: healthCheck(dict(value)) }],
};

/** Those of linuxParameters that a Tenant has words for. */
const linuxRows: Readonly<Record<string, Row>> = {
  initProcessEnabled: field('init'),
  sharedMemorySize: quantity(['shmSize'], mebibytes),
  capabilities: (value) =>
    (['add', 'drop'] as const).flatMap((way) =>
      isEmpty(dict(value)[way]) ? [] : [{ at: ['capabilities', way], value: dict(value)[way] }],
    ),
};

/** One container of a task definition. `base`: the definition that what is not said here stays in. */
export function containerFindings(
  container: Dict,
  from: string,
  base: string | undefined,
): readonly Finding[] {
  const name = named(container['name']);
  const at = (steps: readonly Step[]): readonly Step[] => ['containers', item(name), ...steps];
  const { linuxParameters, ...plain } = container;
  const said = [
    ...saidBy(plain, rows, from),
    ...saidBy(dict(linuxParameters), linuxRows, `${from}.linuxParameters`),
  ];
  return [
    placed(at(['name']), name, from),
    ...said.map((one) => ('kind' in one ? inBase(one.from, base) : placed(at(one.at), one.value, one.from))),
  ];
}

type SaidAt = Said & { readonly from: string };
interface Unsaid {
  readonly kind: 'unsaid';
  readonly from: string;
}

function saidBy(
  keys: Dict,
  table: Readonly<Record<string, Row>>,
  from: string,
): readonly (SaidAt | Unsaid)[] {
  return Object.entries(keys)
    .filter(
      ([key, value]) =>
        (key !== 'name' && !isEmpty(value) && value !== false && value !== 0) ||
        (key === 'essential' && value === false),
    )
    .flatMap(([key, value]): readonly (SaidAt | Unsaid)[] => {
      const here = `${from}.${key}`;
      const row = entryOf(table, key);
      return row === undefined
        ? [{ kind: 'unsaid', from: here }]
        : row(value).map((one) => ({ ...one, from: here }));
    });
}

function inBase(from: string, base: string | undefined): Finding {
  return base === undefined
    ? note(
        'dropped',
        from,
        'no field of a Tenant says it, and no task definition is named that it could stay in',
      )
    : note('changed', from, `it stays in ${base}, and is there on ECS alone`);
}

function portOf(mapping: Dict): object {
  const { containerPort, hostPort, name } = mapping;
  const protocol = wordOf(mapping, 'protocol') || 'tcp';
  const isFixed = hostPort !== undefined && hostPort !== 0 && hostPort !== containerPort;
  return {
    ...(typeof name === 'string' && /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(name) ? { name } : {}),
    containerPort,
    ...(isFixed ? { hostPort } : {}),
    ...(protocol === 'tcp' ? {} : { protocol: protocol.toUpperCase() }),
  };
}

/** What ECS has where nothing is said is not what Landlord has. */
function healthCheck({ command, interval = 30, timeout = 5, retries = 3, startPeriod }: Dict): object {
  const [way, ...rest] = list(command).map(String);
  return {
    ...(way === 'CMD-SHELL' ? { shell: rest.join(' ') } : { command: rest }),
    intervalSeconds: interval,
    timeoutSeconds: timeout,
    retries,
    ...(isEmpty(startPeriod) ? {} : { startPeriodSeconds: startPeriod }),
  };
}
