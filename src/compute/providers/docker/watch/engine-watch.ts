import type { Logger } from 'pino';
import { backoffMs } from '../../../../async/backoff.ts';
import { sleep } from '../../../../async/sleep.ts';
import { asComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { OnChange } from '../../../provider.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { EngineEvent, EngineReads } from '../engine/engine.ts';
import type { EngineIdentity } from './places/engine-identity.ts';
import type { EngineView } from './engine-view.ts';
import { describeLive } from '../state/live-settings.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { bearsOwnName } from '../state/own-containers.ts';

/** Keeps the view of the engine true: one list, then events; another list after each gap, and one per sweep. */

export interface EngineWatchDeps {
  /** Unguarded: the watch is what finds out whether the engine is back. */
  readonly engine: EngineReads;
  readonly guard: EngineGuard;
  readonly identity: Pick<EngineIdentity, 'note'>;
  readonly view: EngineView;
  readonly ownership: Ownership;
  readonly logger: Logger;
  readonly sweepIntervalMs: number;
}

/** Reconnecting starts at a quarter of a second and slows down to 5 s: an engine's restart takes 1 to 3 s. */
const reconnectBackoff = { baseMs: 250, capMs: 5_000 };

/** The rolling inspects take at most one call per 20 ms, a percent or two of an engine's time. */
const rollingGapMs = 20;

/** What a container can go through that a status or a repair depends on; not exec_*, attach, resize, top, … */
const telling =
  /^(create|start|restart|die|stop|kill|oom|pause|unpause|rename|update|destroy|health_status)(:|$)/;

/** Ends when `signal` aborts; never rejects. */
export async function watchEngine(
  deps: EngineWatchDeps,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const { guard, view, logger } = deps;
  let failures = 0;
  /** Whether everybody was told that the engine is out of reach. */
  let told = false;
  const { promise: starting, resolve: started } = Promise.withResolvers<void>();
  view.setWatch({ starting });
  while (!signal.aborted) {
    let wasLive = false;
    const error = await watchOnce(deps, { onChange, signal }, () => {
      wasLive = true;
      failures = 0;
      told = false;
      view.setWatch('live');
      started();
    });
    if (signal.aborted) break;
    view.setWatch('off');
    if (!wasLive) {
      guard.down(asComputeError(error));
      // Nothing else would tell those who are well that nobody knows how they are any more.
      if (!told) onChange(undefined);
      told = true;
    }
    started();
    logger.warn({ err: asComputeError(error).message, failures }, 'lost sight of the engine; reconnecting');
    const delayMs = Math.max(backoffMs(failures, reconnectBackoff), asComputeError(error).retryAfterMs ?? 0);
    failures += 1;
    await sleep(delayMs, signal);
  }
  view.setWatch('off');
  guard.disarm();
  started();
}

interface Hints {
  readonly onChange: OnChange;
  readonly signal: AbortSignal;
}

/** One event stream, from its start to its end. Returns what ended it. */
async function watchOnce(
  deps: EngineWatchDeps,
  { onChange, signal }: Hints,
  onLive: () => void,
): Promise<unknown> {
  const { engine, guard, ownership } = deps;
  const session = new AbortController();
  const whole = AbortSignal.any([signal, session.signal]);
  const work: Promise<void>[] = [];
  const run = (task: () => Promise<void>): void => {
    work.push(task().catch((error: unknown) => session.abort(error)));
  };
  const hints = { onChange, signal: whole };
  guard.arm(() => run(() => sweep(deps, hints, 'no gap')));
  const onOpen = (): void =>
    run(async () => {
      await meet(deps, hints);
      await sweep(deps, hints, 'after a gap');
      onLive();
      run(() => sweepForEver(deps, hints));
      run(() => inspectForEver(deps, hints));
    });
  let ending: unknown = new Error('the event stream ended');
  try {
    for await (const event of engine.events(ownership.filter(), onOpen, whole)) {
      takeEvent(event, deps, onChange);
    }
  } catch (error) {
    ending = error;
  }
  // What broke the session is what ended the stream.
  if (session.signal.aborted) ending = session.signal.reason;
  session.abort(ending);
  await Promise.all(work);
  return ending;
}

function takeEvent(event: EngineEvent, { view, ownership }: EngineWatchDeps, onChange: OnChange): void {
  if (!telling.test(event.action)) return;
  const tenantId = event.attributes[ownership.key('tenant_id')];
  if (tenantId === undefined || !isOurs(event, ownership)) return;
  view.exits.note(event);
  if (event.action === 'unpause') view.forget(event.id, 'pause');
  if (event.action === 'destroy') view.forget(event.id, 'all');
  if (event.action === 'destroy') view.snapshot.removed(tenantId, event.id);
  else if (!isKnown(event, tenantId, view)) view.snapshot.touchOne(tenantId, event.id);
  onChange(tenantId);
}

/** What the engine has answered to us already: mostly, it was our own call. */
function isKnown(event: EngineEvent, tenantId: string, { snapshot }: EngineView): boolean {
  const { id, action, attributes } = event;
  if (action === 'rename')
    return snapshot.isNamed(tenantId, id, (attributes['name'] ?? '').replace(/^\//, ''));
  const seen = snapshot.certain(tenantId, id);
  if (seen === undefined) return false;
  return action === 'create' || (action === 'start' && isFirstStart(event, seen));
}

/** Each later start follows an end, of which an event tells as well. */
function isFirstStart({ timeMs }: EngineEvent, { state, inspected }: ObservedContainer): boolean {
  if (state !== 'running' || inspected === undefined) return false;
  const { startedMs, finishedMs, restartCount } = inspected;
  return finishedMs === 0 && restartCount === 0 && startedMs > 0 && startedMs <= timeMs;
}

/** By its name before, too: a container that somebody renamed is gone as far as we are concerned. */
function isOurs({ attributes }: EngineEvent, ownership: Ownership): boolean {
  const { name = '', oldName = '' } = attributes;
  return [name, oldName].some((one) => bearsOwnName(one.replace(/^\//, ''), attributes, ownership));
}

/** After each gap it may be another engine that answers: then all tenants are elsewhere. */
async function meet(
  { engine, identity, logger }: EngineWatchDeps,
  { onChange, signal }: Hints,
): Promise<void> {
  const id = await engine.identify(signal);
  if (!identity.note(id)) return;
  logger.warn({ engine: engine.address, ...id }, 'another Docker Engine answers at this address than before');
  onChange(undefined);
}

/** Lists everything once and hints at what is new. An engine that was out of reach is back with it. */
async function sweep(
  { engine, view, guard }: EngineWatchDeps,
  { onChange, signal }: Hints,
  when: 'no gap' | 'after a gap',
): Promise<void> {
  const moment = view.snapshot.moment();
  const found = await view.all(signal);
  // One that goes down takes no new connection, and still answers on those of before.
  if (guard.isDown()) await engine.ping(signal);
  const news = view.snapshot.storeAll(found, moment, when === 'after a gap');
  // Whoever was refused meanwhile waits in a back-off that is too long now.
  if (guard.up()) onChange(undefined);
  else for (const tenantId of news) onChange(tenantId);
}

async function sweepForEver(deps: EngineWatchDeps, hints: Hints): Promise<void> {
  // Spread, so that several operators on one engine don't sweep together.
  while (await sleep(deps.sweepIntervalMs * (0.9 + Math.random() / 5), hints.signal)) {
    await sweep(deps, hints, 'no gap');
  }
}

/** Limits and restart policy stand in no list: each container is inspected in turn, once per sweep interval. */
async function inspectForEver(deps: EngineWatchDeps, hints: Hints): Promise<void> {
  const { view, sweepIntervalMs } = deps;
  for (;;) {
    const begun = Date.now();
    for (const tenantId of view.snapshot.tenantIds()) {
      for (const container of view.snapshot.read(tenantId) ?? []) {
        await inspectOne(deps, { tenantId, container }, hints);
        if (!(await sleep(rollingGapMs, hints.signal))) return;
      }
    }
    const restMs = Math.max(rollingGapMs, begun + sweepIntervalMs - Date.now());
    if (!(await sleep(restMs, hints.signal))) return;
  }
}

/**
 * One container may be broken alone: what is known of it counts no more, and its tenant finds out, once, for it is not
 * looked at here until a pass has seen it. The engine has probes of its own.
 */
async function inspectOne(
  { view, logger }: EngineWatchDeps,
  { tenantId, container }: { readonly tenantId: string; readonly container: ObservedContainer },
  { onChange, signal }: Hints,
): Promise<void> {
  const seen = await view.inspect(container, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    logger.debug({ err: asComputeError(error).message, container: container.name }, 'inspecting failed');
    view.snapshot.touch(tenantId);
    onChange(tenantId);
    return undefined;
  });
  if (seen?.inspected === undefined) return;
  const before = container.inspected?.live;
  // Seen for the first time: whether they are those that it was made with.
  const known = before === undefined ? seen.made.live : describeLive(before);
  const otherSettings = describeLive(seen.inspected.live) !== known;
  // A state whose event was missed would be no news to the next sweep any more.
  const changed = otherSettings || seen.state !== container.state || seen.health !== container.health;
  view.snapshot.amend(tenantId, container, seen);
  if (changed) onChange(tenantId);
}
