import type { ServiceHint } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';

/** A queue of ECS' events with any number of readers, each of which hears of all that happens while it listens. */
export interface HintLine {
  tell(hint: ServiceHint): void;
  listen(signal: AbortSignal): AsyncIterable<ServiceHint>;
}

interface Listener {
  readonly waiting: ServiceHint[];
  wake: () => void;
}

export function createHintLine(): HintLine {
  const listeners = new Set<Listener>();
  return {
    tell(hint) {
      for (const listener of listeners) {
        const isKnown = listener.waiting.some(({ service }) => service === hint.service);
        if (!isKnown) listener.waiting.push(hint);
        listener.wake();
      }
    },
    async *listen(signal) {
      const listener: Listener = { waiting: [], wake: () => undefined };
      listeners.add(listener);
      try {
        while (!signal.aborted) {
          const next = listener.waiting.shift();
          if (next !== undefined) yield next;
          else await newsOrEnd(listener, signal);
        }
      } finally {
        listeners.delete(listener);
      }
    },
  };
}

function newsOrEnd(listener: Listener, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    listener.wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
