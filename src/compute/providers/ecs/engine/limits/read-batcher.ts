import type { Priority } from './token-queue.ts';
import { abortable } from '../../../../../async/abortable.ts';
import { sleep } from '../../../../../async/sleep.ts';

/** What came of one name of a batch. */
export type ReadOutcome<T> = { readonly value: T } | { readonly error: unknown };

export interface ReadBatcherOptions<T> {
  /** Most names in one batch. */
  readonly maxNames: number;
  /** How long a batch that is not full waits for more names, in milliseconds. */
  readonly windowMs: number;
  /** Waits for the right to one call. Its rejection is the answer to all who wait in that lane. */
  readonly pay: (priority: Priority) => Promise<void>;
  /** Returns a right that nobody needs any more. */
  readonly refund: () => void;
  /** Asks, once paid; an outcome for each name, whose absence counts as an error. `signal`: nobody listens any more. */
  readonly fetch: (
    names: readonly string[],
    priority: Priority,
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, ReadOutcome<T>>>;
}

export type ReadOne<T> = (name: string, priority: Priority, signal: AbortSignal) => Promise<T>;

interface PendingRead<T> {
  readonly name: string;
  priority: Priority;
  askers: number;
  /** Tells the batch, once there is one, or the lanes that nobody listens any more. */
  onDeserted: () => void;
  readonly answer: PromiseWithResolvers<T>;
}

/**
 * Makes one call out of the single reads of a moment. A name is in one waiting batch at most, and its answer is always
 * younger than the question. Names are chosen only once a call is paid for: the longer the wait, the fuller the batch.
 */
export function createReadBatcher<T>(options: ReadBatcherOptions<T>): ReadOne<T> {
  const lanes = createLanes<T>();
  const isDriven: Record<Priority, boolean> = { user: false, sweep: false };

  const drive = async (lane: Priority): Promise<void> => {
    if (isDriven[lane]) return;
    isDriven[lane] = true;
    try {
      while (lanes.isWaiting(lane)) await sendNext(options, lanes, lane);
    } catch (error) {
      for (const { answer } of lanes.empty(lane)) answer.reject(error);
    } finally {
      isDriven[lane] = false;
    }
  };

  return async (name, priority, signal) => {
    signal.throwIfAborted();
    const read = lanes.join(name, priority);
    void drive(read.priority);
    try {
      return await abortable(read.answer.promise, signal);
    } finally {
      read.askers -= 1;
      if (read.askers === 0) read.onDeserted();
    }
  };
}

/** Pays for a call and makes it, for whoever waits by then. Rejects where it can't be paid for. */
async function sendNext<T>(options: ReadBatcherOptions<T>, lanes: Lanes<T>, lane: Priority): Promise<void> {
  const { maxNames, windowMs, pay, refund } = options;
  if (lanes.size() < maxNames) await sleep(windowMs);
  await pay(lane);
  const batch = lanes.take(maxNames);
  if (batch.length === 0) refund();
  else void send(options, batch);
}

/** Reads that wait for a call, each name once, in the lane of the most urgent who asks for it. */
interface Lanes<T> {
  size(): number;
  isWaiting(lane: Priority): boolean;
  /** The read of that name, with one more who asks for it. */
  join(name: string, lane: Priority): PendingRead<T>;
  /** Takes out so many at the most: users' first, whichever lane has paid; then sweeps' ride along. */
  take(most: number): readonly PendingRead<T>[];
  /** Takes out all of one lane. */
  empty(lane: Priority): readonly PendingRead<T>[];
}

function createLanes<T>(): Lanes<T> {
  const pending = new Map<string, PendingRead<T>>();

  const ofLane = (lane: Priority): PendingRead<T>[] =>
    [...pending.values()].filter(({ priority }) => priority === lane);
  const takeOut = (reads: readonly PendingRead<T>[]): readonly PendingRead<T>[] => {
    for (const { name } of reads) pending.delete(name);
    return reads;
  };
  const add = (name: string, priority: Priority): PendingRead<T> => {
    const answer = Promise.withResolvers<T>();
    // Whoever asked may have gone before the answer comes.
    answer.promise.catch(() => undefined);
    const onDeserted = (): void => {
      if (pending.get(name) === read) pending.delete(name);
    };
    const read: PendingRead<T> = { name, priority, askers: 0, onDeserted, answer };
    pending.set(name, read);
    return read;
  };

  return {
    size: () => pending.size,
    isWaiting: (lane) => ofLane(lane).length > 0,
    join(name, lane) {
      const read = pending.get(name) ?? add(name, lane);
      if (lane === 'user') read.priority = 'user';
      read.askers += 1;
      return read;
    },
    take: (most) => takeOut([...ofLane('user'), ...ofLane('sweep')].slice(0, most)),
    empty: (lane) => takeOut(ofLane(lane)),
  };
}

async function send<T>({ fetch }: ReadBatcherOptions<T>, batch: readonly PendingRead<T>[]): Promise<void> {
  const controller = new AbortController();
  const onDeserted = (): void => {
    if (batch.every(({ askers }) => askers === 0)) controller.abort();
  };
  for (const read of batch) read.onDeserted = onDeserted;
  const priority = batch.some((read) => read.priority === 'user') ? 'user' : 'sweep';
  try {
    const names = batch.map(({ name }) => name);
    const outcomes = await fetch(names, priority, controller.signal);
    for (const { name, answer } of batch) settle(answer, outcomes.get(name) ?? unanswered(name));
  } catch (error) {
    for (const { answer } of batch) answer.reject(error);
  }
}

function settle<T>(answer: PromiseWithResolvers<T>, outcome: ReadOutcome<T>): void {
  if ('error' in outcome) answer.reject(outcome.error);
  else answer.resolve(outcome.value);
}

function unanswered(name: string): { readonly error: Error } {
  return { error: new Error(`the answer says nothing about ${name}`) };
}
