import type { Logger } from 'pino';
import { backoffMs } from '../../../../async/backoff.ts';
import { sleep } from '../../../../async/sleep.ts';
import { asComputeError } from '../../../errors.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { Engine, EngineEvent } from '../engine/engine.ts';
import { hasLabelledLimits } from './engine-view.ts';
import type { EngineView } from './engine-view.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { labelFilter } from '../state/ownership.ts';
import type { Owner } from '../state/ownership.ts';

/** Keeps the view of the engine true: one list, then events; another list after each gap, and one per sweep. */

export interface EngineWatchOptions {
  /** Unguarded: the watch is what finds out whether the engine is back. */
  readonly engine: Engine;
  readonly guard: EngineGuard;
  readonly view: EngineView;
  readonly prefix: string;
  readonly owner: Owner;
  readonly logger: Logger;
  readonly sweepIntervalMs: number;
}

type OnChange = (tenantId: string | undefined) => void;

/** Reconnecting starts at a quarter of a second and slows down to 5 s: an engine's restart takes 1 to 3 s. */
const reconnectBackoff = { baseMs: 250, capMs: 5_000 };

/** The rolling inspects take at most one call per 20 ms, a percent or two of an engine's time. */
const rollingGapMs = 20;

/** What a container can go through that a status or a repair depends on; not exec_*, attach, resize, top, … */
const telling =
  /^(create|start|restart|die|stop|kill|oom|pause|unpause|rename|update|destroy|health_status)(:|$)/;

/** Ends when `signal` aborts; never rejects. */
export async function watchEngine(
  options: EngineWatchOptions,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const { guard, view, logger } = options;
  let failures = 0;
  /** Whether everybody was told that the engine is out of reach. */
  let told = false;
  const { promise: starting, resolve: started } = Promise.withResolvers<void>();
  view.setWatch({ starting });
  while (!signal.aborted) {
    let wasLive = false;
    const error = await watchOnce(options, { onChange, signal }, () => {
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
    const delayMs = backoffMs(failures, reconnectBackoff);
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
  options: EngineWatchOptions,
  { onChange, signal }: Hints,
  onLive: () => void,
): Promise<unknown> {
  const { engine, guard, prefix, owner } = options;
  const session = new AbortController();
  const whole = AbortSignal.any([signal, session.signal]);
  const work: Promise<void>[] = [];
  const run = (task: () => Promise<void>): void => {
    work.push(task().catch((error: unknown) => session.abort(error)));
  };
  const hints = { onChange, signal: whole };
  guard.arm(() => run(() => sweep(options, hints)));
  const onOpen = (): void =>
    run(async () => {
      await sweep(options, hints);
      onLive();
      run(() => sweepForEver(options, hints));
      run(() => inspectForEver(options, hints));
    });
  let ending: unknown = new Error('the event stream ended');
  try {
    for await (const event of engine.events(labelFilter(prefix, owner), onOpen, whole)) {
      takeEvent(event, options, onChange);
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

function takeEvent(event: EngineEvent, { view, prefix }: EngineWatchOptions, onChange: OnChange): void {
  if (!telling.test(event.action)) return;
  const tenantId = event.attributes[`${prefix}.tenant_id`];
  if (tenantId === undefined) return;
  const code = Number(event.attributes['exitCode']);
  if (event.action === 'die' && Number.isInteger(code)) view.noteExit(event.id, code);
  if (event.action === 'destroy') view.noteExit(event.id, undefined);
  view.snapshot.touch(tenantId);
  onChange(tenantId);
}

/** Lists everything once and hints at what is new. An engine that was out of reach is back with it. */
async function sweep({ view, guard }: EngineWatchOptions, { onChange, signal }: Hints): Promise<void> {
  const moment = view.snapshot.moment();
  const found = await view.all(signal);
  const news = view.snapshot.storeAll(found, moment);
  // Whoever was refused meanwhile waits in a back-off that is too long now.
  if (guard.up()) onChange(undefined);
  else for (const tenantId of news) onChange(tenantId);
}

async function sweepForEver(options: EngineWatchOptions, hints: Hints): Promise<void> {
  // Spread, so that several operators on one engine don't sweep together.
  while (await sleep(options.sweepIntervalMs * (0.9 + Math.random() / 5), hints.signal)) {
    await sweep(options, hints);
  }
}

/** Limits and restart policy stand in no list: each container is inspected in turn, once per sweep interval. */
async function inspectForEver(options: EngineWatchOptions, hints: Hints): Promise<void> {
  const { view, sweepIntervalMs } = options;
  for (;;) {
    const begun = Date.now();
    for (const tenantId of view.snapshot.tenantIds()) {
      for (const container of view.snapshot.read(tenantId) ?? []) {
        await inspectOne(options, { tenantId, container }, hints);
        if (!(await sleep(rollingGapMs, hints.signal))) return;
      }
    }
    const restMs = Math.max(rollingGapMs, begun + sweepIntervalMs - Date.now());
    if (!(await sleep(restMs, hints.signal))) return;
  }
}

async function inspectOne(
  { view, prefix }: EngineWatchOptions,
  { tenantId, container }: { readonly tenantId: string; readonly container: ObservedContainer },
  { onChange, signal }: Hints,
): Promise<void> {
  const seen = await view.inspect(container, signal);
  if (seen?.inspected === undefined) return;
  const before = container.inspected?.live;
  const { nanoCpus, memoryBytes, restartPolicy } = seen.inspected.live;
  const otherLimits =
    before === undefined
      ? !hasLabelledLimits(seen, prefix)
      : before.nanoCpus !== nanoCpus ||
        before.memoryBytes !== memoryBytes ||
        before.restartPolicy !== restartPolicy;
  // A state whose event was missed would be no news to the next sweep any more.
  const changed = otherLimits || seen.state !== container.state || seen.health !== container.health;
  view.snapshot.amend(tenantId, container, seen);
  if (changed) onChange(tenantId);
}
