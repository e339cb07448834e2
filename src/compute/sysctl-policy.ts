import { z } from 'zod';
import { denied, isListed } from './policy.ts';
import type { ContainerSpec } from './spec/tenant-compute-spec.ts';

/** Which settings of the kernel tenants may give their containers: one rule for all providers that have such settings. */

/** What one container can do no harm with to others: those that Kubernetes calls safe, and the queue of a listener. */
const safeSysctls: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.core.somaxconn',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

export const allowedSysctls = z
  .array(z.string().min(1))
  .default([...safeSysctls])
  .describe(
    'Sysctls that tenants may set; `*` at the end stands for any characters. Those of the default, which a list at the top ' +
      'level replaces, do no harm to others.',
  );

/** `provider`: whose rule it is. Throws PolicyDenied, naming it. */
export function checkSysctlPolicy(
  provider: string,
  allowed: readonly string[],
  containers: readonly Pick<ContainerSpec, 'name' | 'sysctls'>[],
): void {
  for (const { name: container, sysctls = [] } of containers) {
    const refused = sysctls.find(({ name }) => !isListed(allowed, name));
    if (refused === undefined) continue;
    const what = `container ${container}: sysctl ${refused.name} is not one that tenants may set`;
    throw denied(`${provider}.allow_sysctls`, what, 'Leave it out');
  }
}
