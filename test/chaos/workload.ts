import { apiVersion, kind } from '../../src/api/names.ts';
import type { Random } from '../simulation/random.ts';

/** What users want, and what they do: pure. */

export const providers = ['mock', 'docker', 'ecs'] as const;
export type ProviderName = (typeof providers)[number];

/** `single` may go anywhere; the others are for Docker alone: two containers on a network, one with a volume. */
const shapes = ['single', 'pair', 'volume'] as const;

/** A Tenant as its user wants it to be. */
export interface Wanted {
  readonly name: string;
  readonly provider: ProviderName;
  readonly shape: (typeof shapes)[number];
  /** Stands in a variable of each container: what runs tells which edit it is of. */
  readonly revision: number;
  readonly tag: string;
  /** Of an ECS service. */
  readonly replicas: number;
  readonly suspended: boolean;
}

export interface Change {
  readonly what: 'create' | 'edit' | 'move' | 'suspend' | 'resume' | 'delete';
  readonly tenant: Wanted;
}

/** How many there are of each at most; a small machine runs dozens of containers and hundreds of Tenants on mock. */
export type Shares = Readonly<Record<ProviderName, number>>;

export function sharesOf(tenants: number): Shares {
  const docker = Math.min(30, Math.ceil(tenants / 6));
  const ecs = Math.ceil(tenants / 5);
  return { docker, ecs, mock: Math.max(0, tenants - docker - ecs) };
}

/** The tags that images are pushed with: more than one, so that edits pull. */
export const tags: readonly string[] = Array.from({ length: 12 }, (_, index) => `${index + 1}`);

export class Workload {
  readonly #random: Random;
  readonly #shares: Shares;
  readonly #wanted = new Map<string, Wanted>();
  /** No name is used twice: a late answer to a request about one never concerns another. */
  #created = 0;

  constructor(random: Random, shares: Shares) {
    this.#random = random;
    this.#shares = shares;
  }

  wanted(): readonly Wanted[] {
    return [...this.#wanted.values()];
  }

  get(name: string): Wanted | undefined {
    return this.#wanted.get(name);
  }

  /** All that the shares have room for. */
  populate(): readonly Wanted[] {
    for (const provider of providers)
      while (this.#count(provider) < this.#shares[provider]) this.#create(provider);
    return this.wanted();
  }

  /** What somebody does next. */
  next(): Change {
    const random = this.#random;
    const what = random.weighted({ edit: 50, move: 12, suspend: 6, resume: 6, delete: 13, create: 13 });
    if (what === 'create') {
      const free = providers.filter((provider) => this.#count(provider) < this.#shares[provider]);
      return free.length === 0 ? this.#edit() : { what, tenant: this.#create(random.pick(free)) };
    }
    if (what === 'edit') return this.#edit();
    if (what === 'move') return this.#move() ?? this.#edit();
    if (what === 'delete') {
      const tenant = random.pick(this.wanted());
      this.remove(tenant.name);
      return { what, tenant };
    }
    const those = this.wanted().filter(({ suspended }) => suspended === (what === 'resume'));
    if (those.length === 0) return this.#edit();
    return { what, tenant: this.#put({ ...random.pick(those), suspended: what === 'suspend' }) };
  }

  /** Nobody is suspended any more, so that what runs is what is wanted. */
  resumeAll(): void {
    for (const tenant of this.wanted()) this.#put({ ...tenant, suspended: false });
  }

  remove(name: string): void {
    this.#wanted.delete(name);
  }

  #count(provider: ProviderName): number {
    return this.wanted().filter((tenant) => tenant.provider === provider).length;
  }

  #create(provider: ProviderName): Wanted {
    const random = this.#random;
    this.#created += 1;
    const shape = provider === 'docker' ? random.weighted({ single: 6, pair: 2, volume: 2 }) : 'single';
    const name = `t-${String(this.#created).padStart(4, '0')}`;
    const tag = tags[0] as string;
    return this.#put({ name, provider, shape, revision: 1, tag, replicas: 1, suspended: false });
  }

  #edit(): Change {
    const random = this.#random;
    const before = random.pick(this.wanted());
    const tag = random.chance(0.5) ? random.pick(tags) : before.tag;
    const replicas = before.provider === 'ecs' ? random.int(1, 3) : before.replicas;
    return { what: 'edit', tenant: this.#put({ ...before, revision: before.revision + 1, tag, replicas }) };
  }

  #move(): Change | undefined {
    const movable = this.wanted().filter(({ shape, suspended }) => shape === 'single' && !suspended);
    if (movable.length === 0) return undefined;
    const before = this.#random.pick(movable);
    const free = providers.filter(
      (provider) => provider !== before.provider && this.#count(provider) <= this.#shares[provider],
    );
    if (free.length === 0) return undefined;
    return { what: 'move', tenant: this.#put({ ...before, provider: this.#random.pick(free) }) };
  }

  #put(tenant: Wanted): Wanted {
    this.#wanted.set(tenant.name, tenant);
    return tenant;
  }
}

/** Names of the containers that it is to have. */
export function containersOf({ shape }: Wanted): readonly string[] {
  return shape === 'pair' ? ['app', 'side'] : ['app'];
}

export const revisionVariable = 'REVISION';

export function manifestOf(tenant: Wanted, imageOf: (tag: string) => string): Record<string, unknown> {
  const { name, provider, shape, revision, tag, replicas, suspended } = tenant;
  const containers = containersOf(tenant).map((container) => ({
    name: container,
    image: imageOf(tag),
    env: [{ name: revisionVariable, value: `${revision}` }],
  }));
  return {
    apiVersion,
    kind,
    metadata: { name },
    spec: {
      computeProvider: provider,
      containers,
      suspend: suspended,
      // Nobody is there to approve.
      approval: 'Never',
      ...(provider === 'ecs' ? { computeConfig: { ecs: { desired_count: replicas } } } : {}),
      ...(shape === 'volume'
        ? { computeConfig: { docker: { volumes: ['data:/data'] } }, volumePolicy: 'Delete' }
        : {}),
    },
  };
}
