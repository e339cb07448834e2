/** One line of the engine's report. */
export interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** A line of progress at most each 2 s: enough to see that it moves, and no flood in the log. */
const lineEveryMs = 2_000;

interface Layer {
  readonly status: string;
  readonly current: number;
  readonly total: number;
}

/** How a pull stands. */
export interface PullStanding {
  /** What the registry has sent of the layers. */
  readonly bytes: number;
  /** Whether nothing is expected of the registry: all that is left waits in the engine's queue, or is unpacked. */
  readonly isUpToEngine: boolean;
  /** Whether it waits in the engine's queue. */
  readonly isHeldUp: boolean;
}

export type OnPullProgress = (line: string, standing: PullStanding) => void;

export interface PullProgress {
  take(line: PullLine): void;
  isUpToEngine(): boolean;
}

/** Sums the engine's lines up, layer by layer, into one now and then, and whenever the waiting for the engine begins or ends. */
export function pullProgress(onProgress: OnPullProgress, now: () => number = Date.now): PullProgress {
  const layers = new Map<string, Layer>();
  let lastLineAt = now();
  let wasHeldUp = false;
  return {
    take: ({ id, status, progressDetail }) => {
      if (id === undefined || status === undefined || status.startsWith('Pulling from')) return;
      const { current = 0, total = layers.get(id)?.total ?? 0 } = progressDetail ?? {};
      layers.set(id, { status, current, total });
      const standing = standingOf([...layers.values()]);
      if (now() - lastLineAt < lineEveryMs && standing.isHeldUp === wasHeldUp) return;
      lastLineAt = now();
      wasHeldUp = standing.isHeldUp;
      onProgress(summary([...layers.values()]), standing);
    },
    isUpToEngine: () => standingOf([...layers.values()]).isUpToEngine,
  };
}

function standingOf(layers: readonly Layer[]): PullStanding {
  const left = layers.filter(({ status }) => !inPlace.includes(status));
  const isUpToEngine = left.length > 0 && left.every(({ status }) => enginesWork.includes(status));
  return {
    bytes: layers.reduce((sum, layer) => sum + bytesOf(layer), 0),
    isUpToEngine,
    isHeldUp: isUpToEngine && left.some(({ status }) => status === 'Waiting'),
  };
}

/** What is said of a layer that is being unpacked counts that. */
function bytesOf({ status, current, total }: Layer): number {
  if (status === 'Downloading') return current;
  return status !== 'Waiting' && [...inPlace, ...enginesWork].includes(status) ? total : 0;
}

const inPlace = ['Pull complete', 'Already exists'];
/** The engine pulls three layers at a time, of all pulls together, and unpacks one after the other. */
const enginesWork = ['Waiting', 'Verifying Checksum', 'Download complete', 'Extracting'];

function isDone({ status }: Layer): boolean {
  return inPlace.includes(status) || status === 'Download complete';
}

function summary(layers: readonly Layer[]): string {
  const done = layers.filter(isDone).length;
  const loading = layers.filter(({ status }) => status === 'Downloading');
  const bytes = (key: 'current' | 'total'): string =>
    (loading.reduce((sum, layer) => sum + layer[key], 0) / 1e6).toFixed(1);
  const download = loading.length === 0 ? '' : `, downloading ${bytes('current')} of ${bytes('total')} MB`;
  return `${done} of ${layers.length} layers${download}`;
}
