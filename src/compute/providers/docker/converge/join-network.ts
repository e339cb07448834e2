import { consentTo } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { endpointConfig } from './create-body.ts';
import { EngineRefusal } from '../engine/engine.ts';
import { consented } from './end-containers.ts';
import { largerNetworkName } from '../state/container-name.ts';
import { isLowerAddress } from './free-subnets.ts';
import type { Taking } from './start-containers.ts';
import { deniedAsOwned } from '../state/network/foreign-networks.ts';
import { isUp } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import type { Joining, JoinStep } from '../state/plan/step.ts';
import { cutShort, restartOne, stillStopping } from './stops/stop-containers.ts';

/** What one that joins needs. */
interface JoinAttempt {
  readonly joining: Joining;
  readonly attempt: Attempt;
}

/** One after the other, and each at once: that one can't join holds up none of the others. */
export async function joinNetwork(
  deps: ConvergeDeps,
  { step, attempt, findings }: Taking & { readonly step: JoinStep },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const restarting: ObservedContainer[] = [];
  for (const joining of step.joining) {
    const { container, network } = joining;
    try {
      if (await joinOne(deps, { joining, attempt }, signal)) restarting.push(container);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.kind === 'gone') continue;
      const why = `container ${container.made.container} can't join the network ${network}: ${error.message}`;
      findings.failed.set(container.id, { why, own: false });
    }
  }
  return cutShort(
    deps,
    { attempt, findings },
    restarting.length === 0 ? undefined : stillStopping(restarting),
  );
}

/**
 * The engine gives an alias to whoever comes into a network, and to nobody who is in it: a container leaves for some
 * 200 ms. A process that dies in between leaves it outside, and the next look shows that. True: its restart goes on.
 */
async function joinOne(
  deps: ConvergeDeps,
  { joining, attempt }: JoinAttempt,
  signal: AbortSignal,
): Promise<boolean> {
  const { engine } = deps;
  const { container, network, aliases, effect = 'live' } = joining;
  if (container.networks.includes(network)) {
    // Mostly nobody knows it by its name yet, so that nobody is cut off.
    const consent = consented(attempt, effect, 'moving');
    await engine.disconnectContainer(container.id, network, consent, signal);
  } else if (container.made.networks?.includes(network) === true) await assertForeign(deps, network, signal);
  else {
    await ensureNetwork(deps, { joining, attempt }, signal);
  }
  await engine.connectContainer(container.id, network, endpointConfig(aliases), signal);
  return renewConnections(deps, { joining, attempt }, signal);
}

/**
 * Rejects with EngineRefusal where there is no such network, and with PolicyDenied where it is a tenant's own, of
 * whatever operator on that engine.
 */
export async function assertForeign(
  { engine, settings: { ownership } }: Pick<ConvergeDeps, 'engine' | 'settings'>,
  network: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await engine.inspectNetwork(network, signal);
  // An engine also takes an id, or its first digits.
  if (found === undefined || found.Name !== network) {
    const message = `there is no network ${network}. Create it, or leave it out of networks`;
    throw new EngineRefusal('other', 404, message);
  }
  if (found.Labels?.[ownership.key('owner')] !== undefined) throw deniedAsOwned(network);
}

/** Nothing keeps a network that nobody is in. */
async function ensureNetwork(
  { networks }: ConvergeDeps,
  { joining, attempt: { desired, permit } }: JoinAttempt,
  signal: AbortSignal,
): Promise<void> {
  const meant = desired.containers.filter(({ network: { kind, name } }) => {
    return kind === 'private' && [name, largerNetworkName(name)].includes(joining.network);
  });
  if (meant.length === 0) return;
  const consent = consentTo(permit, 'live', 'removing a network that nobody uses');
  const counts = { containers: meant.length, joining: 1 };
  await networks.restore(
    { kind: 'private', name: joining.network },
    { ...desired, ...counts, consent },
    signal,
  );
}

/**
 * The lowest address that is free is mostly the one that it left. With another one, whatever connection it had made hangs
 * until it times out, which takes a quarter of an hour: it begins anew, while the old one still serves. Nothing is known
 * then of how it runs: it is proven once more before it bears the name. Where addresses come in another order, that could
 * go on for ever; there, it keeps the name. True: the restart goes on.
 */
async function renewConnections(
  deps: ConvergeDeps,
  { joining: { container, network, effect = 'live' }, attempt }: JoinAttempt,
  signal: AbortSignal,
): Promise<boolean> {
  const { engine } = deps;
  const { id } = container;
  const before = container.inspected?.endpoints[network]?.address ?? '';
  if (before === '' || !isUp(container)) return false;
  const found = await engine.inspectContainer(id, signal);
  const after = found?.NetworkSettings.Networks[network]?.IPAddress ?? '';
  if (after === '' || after === before) return false;
  const consent = consented(attempt, effect, 'restarting');
  if (isLowerAddress(after, before)) {
    await engine.disconnectContainer(id, network, consent, signal);
    await engine.connectContainer(id, network, endpointConfig([]), signal);
  }
  return restartOne(deps, { tenantId: attempt.desired.tenantId, container, consent }, signal);
}
