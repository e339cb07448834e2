import { KubeApiError } from '../client/kube-api-error.ts';
import type { KubeStatus } from '../client/kube-api-error.ts';
import type { KubeObject } from '../client/kube-object.ts';
import type { WatchEvent } from '../client/resource.ts';
import type { FollowedState } from './followed-state.ts';

/** Takes in the events of one watch: first, where it asked for that, the whole state; then each change. */
export interface WatchIntake<T extends KubeObject> {
  /** Throws a KubeApiError for an ERROR. */
  take(event: WatchEvent<T>): void;
  /** Whether the whole state is still on its way. */
  isInitial(): boolean;
  /** Events so far, bookmarks included. */
  received(): number;
  /** Events so far, bookmarks left out. */
  changes(): number;
}

export interface WatchIntakeOptions {
  /** What is watched, for messages. */
  readonly what: string;
  /** Whether the watch begins with the whole state. */
  readonly sendInitialEvents: boolean;
  readonly onChange: () => void;
  /** The whole state is there. */
  readonly onComplete: () => void;
}

export function createWatchIntake<T extends KubeObject>(
  state: FollowedState<T>,
  { what, sendInitialEvents, onChange, onComplete }: WatchIntakeOptions,
): WatchIntake<T> {
  let snapshot = sendInitialEvents ? state.beginSnapshot() : undefined;
  let changes = 0;
  let received = 0;

  function takeBookmark({ metadata: { resourceVersion, annotations } }: T): void {
    if (!snapshot) return state.advance(resourceVersion);
    if (annotations?.['k8s.io/initial-events-end'] !== 'true') return;
    const complete = snapshot;
    snapshot = undefined;
    complete.complete(resourceVersion);
    onComplete();
  }

  return {
    take({ type, object }) {
      received += 1;
      if (type === 'BOOKMARK') return takeBookmark(object);
      changes += 1;
      if (type === 'ERROR') throw watchError(what, object);
      onChange();
      if (!snapshot) state.change(type, object);
      else if (type === 'DELETED') snapshot.drop(object);
      else snapshot.keep(object);
    },
    isInitial: () => snapshot !== undefined,
    received: () => received,
    changes: () => changes,
  };
}

/** The object of an ERROR is a Status. */
function watchError(what: string, status: KubeStatus): KubeApiError {
  return new KubeApiError(`watch of ${what}`, status.code ?? 500, status);
}
