/** How much is left, in one domain of a provider, of what its engine has only so much of. */
export interface Capacity {
  /** As in `Provider.domains`; empty where there is one. */
  readonly domain: string;
  readonly of: CapacityKind;
  readonly free: number;
  readonly total: number;
  /** Few are left: how many of what, and what mends it. */
  readonly warning?: string;
}

/**
 * `networks`: of the smallest size, that Tenants' own networks may still have; `addresses`: IPv4 ones that no network has;
 * `shared_network_ports`: containers that the network may still take in which Tenants are together.
 */
export type CapacityKind = 'networks' | 'addresses' | 'shared_network_ports';
