export interface TokenBucket {
  /** Takes a token; false where there is none. */
  take(): boolean;
}

/** Starts full with `burst` tokens and gains one every `refillMs`. */
export function createTokenBucket(
  burst: number,
  refillMs: number,
  now = () => performance.now(),
): TokenBucket {
  let tokens = burst;
  let updatedAtMs = now();
  return {
    take() {
      const nowMs = now();
      tokens = Math.min(burst, tokens + (nowMs - updatedAtMs) / refillMs);
      updatedAtMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
