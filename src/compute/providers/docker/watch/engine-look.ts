import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import { isAnswered } from '../engine/engine-guard.ts';
import type { EngineReads } from '../engine/engine.ts';
import { containerMarks } from '../state/container-marks.ts';
import { withInspect } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import type { Parts } from './engine-snapshot.ts';
import { ownContainer, ownContainers } from '../state/own-containers.ts';

/** Questions to the engine about containers; nothing is remembered. */

/** A list of this tenant's containers, and an inspect of each. */
export async function lookAtTenant(
  engine: EngineReads,
  ownership: Ownership,
  tenantId: string,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const infos = await engine.listContainers(ownership.filter(tenantId), signal);
  return inspectAll(engine, ownContainers(infos, ownership), signal);
}

/** One list of this instance's containers, by tenant. */
export async function lookAtAll(
  engine: EngineReads,
  ownership: Ownership,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ObservedContainer[]>> {
  const tenants = new Map<string, ObservedContainer[]>();
  const infos = await engine.listContainers(ownership.filter(), signal);
  for (const container of ownContainers(infos, ownership)) {
    const { tenantId } = container.made;
    if (tenantId === undefined) continue;
    const others = tenants.get(tenantId);
    if (others === undefined) tenants.set(tenantId, [container]);
    else others.push(container);
  }
  return tenants;
}

/** Each with its inspect; without those that have gone since. */
export async function inspectAll(
  engine: EngineReads,
  containers: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const found = await Promise.all(containers.map((container) => inspectOne(engine, container, signal)));
  return found.filter((container) => container !== undefined);
}

/** Undefined: it has gone since. */
export async function inspectOne(
  engine: EngineReads,
  container: ObservedContainer,
  signal: AbortSignal,
): Promise<ObservedContainer | undefined> {
  const found = await naming(container, 'inspected', engine.inspectContainer(container.id, signal));
  return found === undefined ? undefined : withInspect(container, found);
}

/** What inspects alone tell of these; without those that are gone, or none of the tenant's. */
export async function lookAtParts(
  where: { readonly engine: EngineReads; readonly ownership: Ownership },
  { tenantId, known, doubtful }: Parts & { readonly tenantId: string },
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const found = await Promise.all(
    doubtful.map(async (id) => {
      const before = known.find((container) => container.id === id);
      return lookAtOne(where, { tenantId, id, before }, signal);
    }),
  );
  return found.filter((container) => container !== undefined);
}

interface Part {
  readonly tenantId: string;
  readonly id: string;
  readonly before: ObservedContainer | undefined;
}

async function lookAtOne(
  { engine, ownership }: { readonly engine: EngineReads; readonly ownership: Ownership },
  { tenantId, id, before }: Part,
  signal: AbortSignal,
): Promise<ObservedContainer | undefined> {
  const call = engine.inspectContainer(id, signal);
  const found = await naming(before ?? { name: id.slice(0, 12) }, 'inspected', call);
  const own = found && ownContainer(found, ownership, containerMarks);
  if (own?.made.tenantId !== tenantId) return undefined;
  // A list says it with an id where the name has come to mean another image.
  return before === undefined ? own : { ...own, image: before.image };
}

/** The call, whose failure names the container that is broken alone: nothing else on the engine tells which one it is. */
export async function naming<T>(
  { name }: Pick<ObservedContainer, 'name'>,
  what: 'inspected' | 'stopped' | 'removed',
  call: Promise<T>,
): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof ComputeError) || error.code !== 'ProviderUnavailable' || !isAnswered(error))
      throw error;
    const { code, message, retryAfterMs } = error;
    const options = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new ComputeError(code, `The container ${name} can't be ${what}: ${message}`, options);
  }
}
