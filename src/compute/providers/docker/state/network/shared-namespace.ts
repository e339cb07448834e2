import { isJob } from '../../../../../api/container/lifecycle-fields.ts';
import { ComputeError } from '../../../../errors.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { Asking } from '../confinement/asking.ts';
import { replicaName, replicaOf, specName } from '../container-name.ts';
import { optionsAsking } from '../options/options-asking.ts';

/**
 * A container in the network namespace of another one of its tenant, as `service:NAME`: it has no network, address or name of its
 * own, and is found where that one is. Pure.
 */

const prefix = 'service:';

/** Whose namespace it is, by its name in the spec; undefined: nobody's of the same tenant. */
export function siblingIn(networkMode: string | undefined): string | undefined {
  return networkMode?.startsWith(prefix) === true ? networkMode.slice(prefix.length) : undefined;
}

/** That of a container of this replica. */
export function sharedMode(sibling: string, replica: number): string {
  return `${prefix}${replicaName(sibling, replica)}`;
}

/**
 * Each with what it waits for: the engine lets none into the namespace of one that does not run. Throws InvalidSpec where there is
 * no such one, or can't be.
 */
export function withNamespaceOrder(
  containers: readonly ContainerSpec[],
  asking: Asking,
): readonly ContainerSpec[] {
  const modeOf = ({ name }: ContainerSpec): string | undefined =>
    optionsAsking(specName(name), asking).asked.network_mode;
  return containers.map((container) => {
    const sibling = siblingIn(modeOf(container));
    if (sibling === undefined) return container;
    const { name, dependsOn = [] } = container;
    const holder = containers.find((one) => one.name === replicaName(sibling, replicaOf(name)));
    const others = new Set(containers.map((one) => specName(one.name)));
    others.delete(specName(name));
    if (holder === undefined || holder === container)
      throw refused(name, sibling, `it is none of the others: name one of ${[...others].join(', ')}`);
    checkHolder(container, { holder, containers, mode: modeOf(holder) });
    if (dependsOn.some((one) => one.container === holder.name)) return container;
    return { ...container, dependsOn: [...dependsOn, { container: holder.name, condition: 'Started' }] };
  });
}

interface Holding {
  readonly holder: ContainerSpec;
  readonly containers: readonly ContainerSpec[];
  readonly mode: string | undefined;
}

function checkHolder({ name }: ContainerSpec, { holder, containers, mode = 'bridge' }: Holding): void {
  const sibling = specName(holder.name);
  if (mode !== 'bridge')
    throw refused(name, sibling, `${sibling} itself has network_mode ${mode}. Say that of ${specName(name)}`);
  if (isJob(holder))
    throw refused(name, sibling, `${sibling} is a job, which ends (restartPolicy). Have it run on`);
  if (awaitedBy(holder, containers).has(name))
    throw refused(
      name,
      sibling,
      `${sibling} waits for it (dependsOn), and has to begin before it. Leave that out`,
    );
}

/** All that it waits for, be it by way of others. */
function awaitedBy(container: ContainerSpec, containers: readonly ContainerSpec[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [container];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const waitsFor = new Set((one.dependsOn ?? []).map((dependency) => dependency.container));
    open.push(...containers.filter((other) => waitsFor.has(other.name) && !found.has(other.name)));
    for (const other of waitsFor) found.add(other);
  }
  return found;
}

function refused(name: string, sibling: string, why: string): ComputeError {
  const what = `container ${specName(name)}: network_mode ${prefix}${sibling}: ${why}`;
  return new ComputeError('InvalidSpec', what);
}
