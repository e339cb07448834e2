/** UIDs of objects that were deleted lately: what an own write answers about one of them is older than its end. */
export interface Tombstones {
  bury(uid: string): void;
  /** It was seen alive again. */
  lift(uid: string): void;
  has(uid: string): boolean;
}

/** Enough for all writes that can be under way at once. */
const maxTombstones = 4096;

export function createTombstones(): Tombstones {
  const uids = new Set<string>();
  return {
    bury(uid) {
      uids.add(uid);
      if (uids.size <= maxTombstones) return;
      for (const oldest of uids) {
        uids.delete(oldest);
        break;
      }
    },
    lift: (uid) => void uids.delete(uid),
    has: (uid) => uids.has(uid),
  };
}
