import { backoffMs } from '../../../../../async/backoff.ts';
import type { BackoffOptions } from '../../../../../async/backoff.ts';
import { sshFailure } from './ssh-failure.ts';

/**
 * What guards an sshd, as fail2ban does, counts refused keys: five in ten minutes close the host to us. One that fails
 * for want of a right one is mended by a person.
 */
const refusedBackoff: BackoffOptions = { baseMs: 60_000, capMs: 300_000, jitter: 'none' };
/** As a watch that has lost its engine asks for it. */
const otherBackoff: BackoffOptions = { baseMs: 500, capMs: 5_000 };

const refusal = /permission denied|too many authentication failures|host key verification failed/i;

/** Logins that failed, one after another, and when the next may be tried. */
export class LoginFailures {
  readonly #now: () => number;
  #count = 0;
  #words = '';
  #overMs = 0;

  /** `now`: milliseconds of a clock that is never set. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `words`: what ssh said. */
  note(words: string): void {
    const backoff = refusal.test(words) ? refusedBackoff : otherBackoff;
    this.#overMs = this.#now() + backoffMs(this.#count, backoff);
    this.#words = words;
    this.#count += 1;
  }

  /** A login was of use. */
  forget(): void {
    this.#count = 0;
    this.#overMs = 0;
  }

  /** Milliseconds until the next login may be tried: 0 for at once. */
  waitMs(): number {
    return Math.max(0, this.#overMs - this.#now());
  }

  /** Anew for each whose wait ends with it. */
  error(): Error {
    return sshFailure(this.#words);
  }
}
