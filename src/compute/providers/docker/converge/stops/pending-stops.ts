import { abortable } from '../../../../../async/abortable.ts';
import { doneWithin } from '../../../../../async/done-within.ts';

/**
 * Stops that go on by themselves: a container may take all of its grace to end, and no pass waits for that. Who would have
 * to is told once they are over. A process that is killed meanwhile has nothing to remember: the next one stops them again.
 */
export interface PendingStops {
  /**
   * True once each has ended: most do within a moment. False where one takes longer: then `tenantId` is told of its end, and
   * whoever asks again by then makes no other call. Rejects as the call did, and, while it is made again, as it did before.
   */
  stop(
    tenantId: string,
    stops: ReadonlyMap<string, (signal: AbortSignal) => Promise<void>>,
    signal: AbortSignal,
    room?: Room,
  ): Promise<boolean>;
  /** The same for those of these containers whose stops go on to make room, which is not wanted any more. Begins none. */
  roomMade(tenantId: string, ids: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** The same for those of these that are being restarted, as they are still to be. */
  restarted(tenantId: string, ids: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** Whether the container is being stopped to make room. */
  makesRoom(id: string): boolean;
  /** Whether it is being stopped to be started again. */
  restarts(id: string): boolean;
  close(): void;
}

/**
 * What stops are for: that something else can start. `isLeft`: whoever asked no longer waits for them, and nobody has asked for
 * anything else since.
 */
export interface Room {
  isLeft: boolean;
  /** It is the same that starts again. */
  readonly isRestart?: true;
}

/** A container that heeds its signal ends within that, and a pass that waits so long is none that hangs. */
const momentMs = 500;

interface Stop {
  readonly ended: Promise<void>;
  room?: Room;
  /** Why it has failed. Kept here until somebody asks. */
  error?: unknown;
  /** Nobody waits for it any more. */
  toTell?: string;
}

export function createPendingStops(onEnd: (tenantId: string) => void): PendingStops {
  const closing = new AbortController();
  const going = new Map<string, Stop>();
  /** What came of the last one, as long as none has ended well. */
  const failures = new Map<string, unknown>();

  function begin(id: string, call: (signal: AbortSignal) => Promise<void>): Stop {
    const run = async (): Promise<void> => {
      try {
        await call(closing.signal);
        going.delete(id);
        failures.delete(id);
      } catch (error) {
        stop.error = error;
      }
      if (stop.toTell !== undefined && !closing.signal.aborted) onEnd(stop.toTell);
    };
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const stop: Stop = { ended };
    going.set(id, stop);
    void run().finally(resolve);
    return stop;
  }

  return {
    async stop(tenantId, stops, signal, room) {
      signal.throwIfAborted();
      const all = [...stops].map(([id, call]) => ({ id, stop: going.get(id) ?? begin(id, call) }));
      for (const { stop } of all) if (room !== undefined) stop.room ??= room;
      setLeft(all, false);
      const isOver = await areOver({ going, failures }, { tenantId, all }, signal);
      setLeft(all, !isOver && room !== undefined);
      return isOver;
    },
    async roomMade(tenantId, ids, signal) {
      const all = makingRoom(going, ids);
      setLeft(all, false);
      return areOver({ going, failures }, { tenantId, all }, signal);
    },
    restarted: async (tenantId, ids, signal) =>
      areOver({ going, failures }, { tenantId, all: makingRoom(going, ids) }, signal),
    makesRoom: (id) => going.get(id)?.room !== undefined,
    restarts: (id) => going.get(id)?.room?.isRestart === true,
    close: () => closing.abort(new Error('Landlord is stopping')),
  };
}

interface Memory {
  readonly going: Map<string, Stop>;
  readonly failures: Map<string, unknown>;
}

interface Awaited {
  readonly tenantId: string;
  readonly all: readonly { readonly id: string; readonly stop: Stop }[];
}

function makingRoom(going: Memory['going'], ids: readonly string[]): Awaited['all'] {
  return ids.flatMap((id) => {
    const stop = going.get(id);
    return stop?.room === undefined ? [] : [{ id, stop }];
  });
}

function setLeft(all: Awaited['all'], isLeft: boolean): void {
  for (const { stop } of all) if (stop.room !== undefined) stop.room.isLeft = isLeft;
}

/** See `PendingStops.stop`. */
async function areOver(
  { going, failures }: Memory,
  { tenantId, all }: Awaited,
  signal: AbortSignal,
): Promise<boolean> {
  const ended = Promise.all(all.map(({ stop }) => stop.ended));
  const isOver = await doneWithin(abortable(ended, signal), momentMs);
  const failed = all.filter(({ stop }) => stop.error !== undefined);
  for (const { id, stop } of failed) {
    going.delete(id);
    failures.set(id, stop.error);
  }
  if (failed[0] !== undefined) throw failed[0].stop.error;
  if (isOver) return true;
  for (const { stop } of all) stop.toTell = tenantId;
  const before = all.find(({ id }) => failures.has(id));
  if (before !== undefined) throw failures.get(before.id);
  return false;
}
