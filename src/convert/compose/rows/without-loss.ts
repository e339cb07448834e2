/** Keys of a service that a Tenant needs no words for, and why nothing that runs misses them. */
export const withoutLoss: Readonly<Record<string, string>> = {
  container_name: 'the name on the engine is of the Tenant',
  expose: 'containers of a Tenant reach every port of one another',
  attach: "logs are the engine's",
  develop: 'it is for those who build it',
  annotations: 'nothing that runs reads them',
  exclude_from_hc: 'no key of compose',
  cpu_shares: weights(),
  cpu_rt_period: weights(),
  cpu_rt_runtime: weights(),
  cpuset: weights(),
  blkio_config: weights(),
  mem_reservation: weights(),
  memswap_limit: weights(),
  mem_swappiness: weights(),
  oom_score_adj: weights(),
  oom_kill_disable: weights(),
};

function weights(): string {
  return "how the host shares out what it has is the operator's";
}

/** Keys that compose has, and no Tenant. */
export const unsaid = new Set([
  'cgroup',
  'cgroup_parent',
  'cpu_count',
  'cpu_percent',
  'cpu_period',
  'cpu_quota',
  'credential_spec',
  'device_cgroup_rules',
  'dns_opt',
  'dns_search',
  'domainname',
  'external_links',
  'group_add',
  'isolation',
  'label_file',
  'mac_address',
  'models',
  'post_start',
  'pre_stop',
  'provider',
  'storage_opt',
  'use_api_socket',
  'userns_mode',
  'uts',
]);
