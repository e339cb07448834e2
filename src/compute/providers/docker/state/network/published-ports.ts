import { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerOperatorBlock, DockerPolicy } from '../../config.ts';
import { refused } from '../options/options-asking.ts';
import type { OptionsAsking } from '../options/options-asking.ts';
import type { DesiredNetwork } from './choose-network.ts';
import { siblingIn } from './shared-namespace.ts';

/** What a tenant may publish on the host. Pure. */

type Publishing = Pick<ContainerSpec, 'name' | 'ports'> & { readonly network: DesiredNetwork };
type Containers = readonly Publishing[];

interface Rules {
  readonly block: Pick<DockerOperatorBlock, 'ports'>;
  readonly policy: Pick<DockerPolicy, 'host_ports' | 'max_ports'>;
}

/** Throws InvalidSpec for what can't be, and PolicyDenied, naming the rule, for what may not. */
export function checkPorts(containers: Containers, rules: Rules): void {
  checkPublishable(containers);
  checkTwice(containers);
  // In the host's own network nothing is published.
  const publishing = containers.filter(({ network }) => network.kind !== 'mode');
  checkCount(publishing, rules);
  checkHostPorts(publishing, rules);
}

function checkPublishable(containers: Containers): void {
  const publishing = containers.find(
    ({ ports = [], network }) => ports.length > 0 && network.kind === 'mode' && network.name !== 'host',
  );
  if (publishing === undefined) return;
  const { name, network } = publishing;
  const sibling = siblingIn(network.name);
  const help = sibling === undefined ? '' : `. Name them at ${sibling}, whose they are`;
  throw new ComputeError(
    'InvalidSpec',
    `container ${name}: ports can't be published with network_mode ${network.name}${help}`,
  );
}

function checkTwice(containers: Containers): void {
  const holders = new Map<string, string>();
  for (const { name, key } of fixedPorts(containers)) {
    const holder = holders.get(key);
    if (holder !== undefined) {
      throw new ComputeError(
        'InvalidSpec',
        `host port ${key} is asked for twice, by the containers ${holder} and ${name}`,
      );
    }
    holders.set(key, name);
  }
}

/** Address of the host that a container's ports are bound to. Throws PolicyDenied, naming the rule. */
export function bindAddressOf(asking: OptionsAsking): string {
  const { asked, own, block, policy } = asking;
  const operators = block.port_bind_address;
  const { port_bind_address: address = operators } = asked;
  const isAllowed = [operators, own.port_bind_address, ...policy.allow_bind_addresses].includes(address);
  if (isAllowed) return address;
  throw refused(asking, 'allow_bind_addresses', `ports at ${address} are not allowed`);
}

/** Each is a process of the engine's on the host, beyond the tenant's limits. */
function checkCount(containers: Containers, { block, policy }: Rules): void {
  const count = containers.reduce((sum, { ports = [] }) => sum + ports.length, 0);
  const most = Math.max(policy.max_ports, block.ports?.length ?? 0);
  if (count <= most) return;
  const what = `the containers publish ${count} ports together, and a tenant may publish at most ${most}`;
  throw denied('docker.max_ports', what, 'Publish fewer');
}

function checkHostPorts(containers: Containers, { block, policy: { host_ports } }: Rules): void {
  const operators = (block.ports ?? []).map(({ host_port }) => host_port);
  for (const { name, key, hostPort } of fixedPorts(containers)) {
    if (host_ports.some((range) => isInRange(hostPort, range)) || operators.includes(hostPort)) continue;
    const allowed = host_ports.length === 0 ? 'none may be asked for' : `none of ${host_ports.join(', ')}`;
    const what = `container ${name}: host port ${key} is ${allowed}`;
    throw denied('docker.host_ports', what, 'Leave the host port out, so that the engine picks one');
  }
}

interface FixedPort {
  /** Of the container. */
  readonly name: string;
  readonly hostPort: number;
  /** `8080/TCP`. */
  readonly key: string;
}

function fixedPorts(containers: Containers): readonly FixedPort[] {
  return containers.flatMap(({ name, ports = [] }) =>
    ports.flatMap(({ hostPort, protocol }) =>
      hostPort === undefined ? [] : [{ name, hostPort, key: `${hostPort}/${protocol}` }],
    ),
  );
}

/** `8080` or `8000-8999`. */
function isInRange(port: number, range: string): boolean {
  const [first = 0, last = first] = range.split('-').map(Number);
  return first <= port && port <= last;
}
