import type { Endpoint } from '../../../../../api/status.ts';
import { isUnknownArn } from '../../address/target-groups.ts';
import type { Route } from '../../address/route.ts';
import type { PortNames } from '../endpoints.ts';
import type { ServiceSettings } from './service-fields.ts';

/** Where a service is reached by its load balancers: a URL that stays, whatever becomes of its tasks. */

type Balanced = Pick<ServiceSettings, 'loadBalancers'>;
type Balancer = NonNullable<ServiceSettings['loadBalancers']>[number];

/** No more than a person reads in a status. */
const mostOfEach = 5;

/** Target groups that a service registers its tasks with, each once, but for those whose ARNs are not known. */
export function targetGroupsOf({ loadBalancers = [] }: Balanced): readonly string[] {
  return [...new Set(loadBalancers.flatMap(groupsOf))].filter((arn) => !isUnknownArn(arn));
}

/** By the port of the container that each load balancer reaches. `ports`: those that have names. */
export function listenerEndpoints(
  { loadBalancers = [] }: Balanced,
  ports: readonly PortNames[],
  routesTo: (targetGroup: string) => readonly Route[],
): readonly Endpoint[] {
  return loadBalancers.flatMap((balancer) => {
    const { containerName, containerPort, advancedConfiguration } = balancer;
    const name =
      ports.find(({ port }) => port === containerPort)?.name ?? `${containerName}-${containerPort}`;
    const routes = groupsOf(balancer)
      .flatMap(routesTo)
      .filter(({ rule }) => rule !== advancedConfiguration?.testListenerRule);
    const endpoints = new Map(
      routes.map((route) => {
        const endpoint = endpointOf(name, route);
        return [endpoint.url ?? `${endpoint.address} ${endpoint.port}`, endpoint];
      }),
    );
    return [...endpoints.values()].toSorted(bySafety).slice(0, mostOfEach);
  });
}

/** Both colours: which of them has the traffic changes with each rollout. */
function groupsOf({ targetGroupArn, advancedConfiguration }: Balancer): readonly string[] {
  const other = advancedConfiguration?.alternateTargetGroupArn;
  return other === undefined ? [targetGroupArn] : [targetGroupArn, other];
}

const securely: readonly string[] = ['HTTPS', 'TLS'];
const usualPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

function endpointOf(name: string, { host, protocol, port, hostHeader, path }: Route): Endpoint {
  const address = hostHeader !== undefined && isPlain(hostHeader) ? hostHeader : host;
  if (protocol === 'UDP') return { name, type: 'udp', address, port };
  const scheme = securely.includes(protocol) ? 'https' : 'http';
  const at = usualPorts[scheme] === port ? address : `${address}:${port}`;
  return { name, type: 'tcp', address, port, url: `${scheme}://${at}${pathOf(path)}` };
}

function isPlain(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/** Up to the first sign that stands for others. */
function pathOf(pattern = ''): string {
  const end = pattern.search(/[*?]/);
  const path = end === -1 ? pattern : pattern.slice(0, end);
  return path === '/' ? '' : path;
}

/** By TLS first, then by their URLs, so that the order stays. */
function bySafety(a: Endpoint, b: Endpoint): number {
  const [left, right] = [a.url ?? a.address, b.url ?? b.address];
  const safety = Number(right.startsWith('https:')) - Number(left.startsWith('https:'));
  return safety === 0 ? Number(left > right) - Number(left < right) : safety;
}
