/** Keys and when each is due; one deadline per key, the earliest that was asked for. */
export interface DelayHeap {
  /** An earlier deadline replaces a later one, never the reverse. Returns whether it is the deadline now. */
  schedule(key: string, dueAtMs: number): boolean;
  cancel(key: string): void;
  has(key: string): boolean;
  /** Undefined where nothing is scheduled. */
  nextDueAtMs(): number | undefined;
  /** Takes out all that are due, earliest first. */
  takeDue(nowMs: number): string[];
  readonly size: number;
  clear(): void;
}

interface Entry {
  readonly key: string;
  readonly dueAtMs: number;
}

/** A binary heap. What was cancelled or replaced stays in it until it comes to the top and is thrown away. */
export function createDelayHeap(): DelayHeap {
  const heap: Entry[] = [];
  const current = new Map<string, Entry>();

  function top(): Entry | undefined {
    for (;;) {
      const entry = heap[0];
      if (!entry || current.get(entry.key) === entry) return entry;
      pop(heap);
    }
  }

  return {
    schedule(key, dueAtMs) {
      const known = current.get(key);
      if (known && known.dueAtMs <= dueAtMs) return false;
      const entry = { key, dueAtMs };
      current.set(key, entry);
      push(heap, entry);
      return true;
    },
    cancel(key) {
      current.delete(key);
    },
    has: (key) => current.has(key),
    nextDueAtMs: () => top()?.dueAtMs,
    takeDue(nowMs) {
      const due: string[] = [];
      for (let entry = top(); entry && entry.dueAtMs <= nowMs; entry = top()) {
        pop(heap);
        current.delete(entry.key);
        due.push(entry.key);
      }
      return due;
    },
    get size() {
      return current.size;
    },
    clear() {
      heap.length = 0;
      current.clear();
    },
  };
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (at(heap, parent).dueAtMs <= entry.dueAtMs) break;
    heap[index] = at(heap, parent);
    index = parent;
  }
  heap[index] = entry;
}

/** Throws the top away. */
function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && at(heap, child + 1).dueAtMs < at(heap, child).dueAtMs) child += 1;
    if (at(heap, child).dueAtMs >= last.dueAtMs) break;
    heap[index] = at(heap, child);
    index = child;
  }
  heap[index] = last;
}

function at(heap: readonly Entry[], index: number): Entry {
  return heap[index] as Entry;
}
