import { doneWithin } from '../../../../../async/done-within.ts';
import { onAbort } from '../../../../../async/on-abort.ts';
import { LoginFailures } from './login-failures.ts';
import { sshFailure } from './ssh-failure.ts';
import type { SshLogin } from './ssh-login.ts';
import type { SshPath } from './ssh-options.ts';
import { emptySeats, idlePlaceFor, placesByTraffic, withRoom } from './ssh-places.ts';
import type { Place, Seats, SshApplicant } from './ssh-places.ts';
import { isWithinShare, sshBounds, sshShares } from './ssh-shares.ts';
import type { SshBounds, SshShares } from './ssh-shares.ts';

/** A place in a login. */
export interface SshSession extends SshPath {
  /** What the login said when it ended; empty where it goes on, or ended without a word. */
  loginsLastWords(): Promise<string>;
  /** The login has taken it in: it was answered, or what was started there has ended. */
  taken(): void;
  /** sshd takes no more into the login, so that nothing was started there; `words`: as ssh says it. `end` is to follow. */
  refused(words: string): void;
  /** The login could not be asked, so that nothing was started there. `end` is to follow. */
  missed(): void;
  setIdle(isIdle: boolean): void;
  /** False where its traffic has more than its share by now, so that it should end with what it is at. */
  mayStay(): boolean;
  /** It has ended here, and there it goes on for all we know: in its place, for nobody. `end` may follow. */
  abandon(): void;
  /** Gives the place back. */
  end(): void;
}

/** The logins at one engine's host: as few as its sessions need. */
export interface SshLogins {
  /** In turn. Rejects with what ssh says where there can be none, and where no place becomes free in time. */
  open(applicant: SshApplicant): Promise<SshSession>;
  /** As far as sshd was seen to go along. */
  shares(): SshShares;
  close(): void;
}

export interface SshLoginsOptions {
  readonly bounds?: SshBounds;
  /** Milliseconds after which a login without sessions ends. Default: 60 s. */
  readonly idleMs?: number;
  /** Milliseconds that a place may be waited for where somebody is logged in. Default: 25 s, less than a call may take. */
  readonly waitMs?: number;
  readonly failures?: LoginFailures;
}

/** A session may learn of the end of its login before we do. */
const lastWordsMs = 1_000;

interface Waiter {
  readonly applicant: SshApplicant;
  seat(seats: Seats): void;
  fail(error: Error): void;
}

export class SharedSshLogins implements SshLogins {
  readonly #start: () => SshLogin;
  readonly #idleMs: number;
  readonly #waitMs: number;
  readonly #failures: LoginFailures;
  readonly #most: SshBounds;
  /** As far as sshd was seen to go along. */
  #bounds: SshBounds;
  readonly #logins = new Set<Seats>();
  readonly #waiting = new Set<Waiter>();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(start: () => SshLogin, options: SshLoginsOptions = {}) {
    const { bounds = sshBounds, idleMs = 60_000, waitMs = 25_000, failures = new LoginFailures() } = options;
    this.#start = start;
    this.#most = bounds;
    this.#bounds = bounds;
    this.#idleMs = idleMs;
    this.#waitMs = waitMs;
    this.#failures = failures;
  }

  async open(applicant: SshApplicant): Promise<SshSession> {
    if (this.#closed) throw closedConnection();
    applicant.signal.throwIfAborted();
    if (this.#isHopeless()) throw this.#failures.error();
    const { promise, resolve, reject } = Promise.withResolvers<SshSession>();
    const waiter: Waiter = {
      applicant,
      seat: (seats) => {
        over();
        resolve(this.#seat(applicant, seats));
      },
      fail: (error) => {
        over();
        reject(error);
      },
    };
    const timer = setTimeout(() => {
      // As long as nobody is logged in, ssh itself will tell why.
      if (this.#has('open')) waiter.fail(noneFree(this.#waitMs));
      else timer.refresh();
    }, this.#waitMs).unref();
    const stopListening = onAbort(applicant.signal, () => waiter.fail(applicant.signal.reason as Error));
    const over = (): void => {
      this.#waiting.delete(waiter);
      clearTimeout(timer);
      stopListening();
    };
    this.#waiting.add(waiter);
    this.#serve();
    return promise;
  }

  shares(): SshShares {
    return sshShares(this.#bounds);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const waiter of this.#waiting) waiter.fail(closedConnection());
    for (const seats of this.#logins) this.#retire(seats);
  }

  #has(state: Seats['state']): boolean {
    return [...this.#logins].some((seats) => seats.state === state);
  }

  /** There is no login, and none may be tried. */
  #isHopeless(): boolean {
    return this.#failures.waitMs() > 0 && !this.#has('open') && !this.#has('starting');
  }

  /** Gives places to those who wait, in order, and sees to more where there is none. */
  #serve(): void {
    if (this.#closed) return;
    for (const waiter of this.#waiting) {
      const seats = this.#isWithinShare(waiter) ? withRoom(this.#logins, this.#bounds.sessions) : undefined;
      if (seats !== undefined) waiter.seat(seats);
    }
    const wantsRoom = [...this.#waiting].some((waiter) => this.#isWithinShare(waiter));
    if (!wantsRoom || !this.#begin()) this.#askIdleOne();
  }

  /** One whose place somebody who waits may have. */
  #askIdleOne(): void {
    for (const { applicant } of this.#waiting) {
      const idle = idlePlaceFor(applicant.traffic, this.#logins, this.shares());
      if (idle === undefined) continue;
      idle.isLeaving = true;
      idle.applicant.giveWay();
      return;
    }
  }

  #isWithinShare({ applicant }: Waiter): boolean {
    return isWithinShare(applicant.traffic, placesByTraffic(this.#logins), this.shares());
  }

  /**
   * Whether another login is on its way. One at a time: sshd drops some of many that begin at once, and what fails does
   * so once for all who wait.
   */
  #begin(): boolean {
    if (this.#has('starting')) return true;
    if (this.#logins.size >= this.#bounds.logins) return false;
    const waitMs = this.#failures.waitMs();
    if (waitMs > 0) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#serve(), waitMs).unref();
      return false;
    }
    // It may have been set up anew since.
    if (this.#logins.size === 0) this.#bounds = this.#most;
    const seats = emptySeats(this.#start());
    this.#logins.add(seats);
    void this.#follow(seats);
    return true;
  }

  async #follow(seats: Seats): Promise<void> {
    const { login } = seats;
    const isReady = await login.ready.then(
      () => true,
      () => false,
    );
    if (isReady && seats.state === 'starting') {
      seats.state = 'open';
      this.#serve();
      if (seats.places.size === 0) this.#rest(seats);
    }
    const words = await login.ended;
    clearTimeout(seats.idle);
    this.#logins.delete(seats);
    if (seats.state !== 'closing' && !seats.wasOfUse) this.#failures.note(words);
    if (this.#isHopeless()) for (const waiter of this.#waiting) waiter.fail(this.#failures.error());
    this.#serve();
  }

  #rest(seats: Seats): void {
    seats.idle = setTimeout(() => this.#retire(seats), this.#idleMs).unref();
  }

  #retire(seats: Seats): void {
    seats.state = 'closing';
    if (seats.places.size === 0 || this.#closed) seats.login.close();
  }

  #seat(applicant: SshApplicant, seats: Seats): SshSession {
    const { login } = seats;
    const place: Place = { applicant, isIdle: false, isLeaving: false };
    clearTimeout(seats.idle);
    seats.places.add(place);
    return {
      ...login.path,
      loginsLastWords: async () => ((await doneWithin(login.ended, lastWordsMs)) ? login.ended : ''),
      taken: () => {
        if (!seats.wasOfUse) this.#failures.forget();
        seats.wasOfUse = true;
      },
      refused: (words) => this.#refused(seats, words),
      missed: () => {
        seats.state = 'closing';
      },
      setIdle: (isIdle) => {
        place.isIdle = isIdle;
        if (isIdle) this.#serve();
      },
      mayStay: () => placesByTraffic(this.#logins)[applicant.traffic] <= this.shares()[applicant.traffic],
      abandon: () => {
        if (!seats.places.delete(place)) return;
        seats.lost.add(place);
        this.#left(seats);
      },
      end: () => {
        if (seats.lost.delete(place)) this.#serve();
        else if (seats.places.delete(place)) this.#left(seats);
      },
    };
  }

  #left(seats: Seats): void {
    if (seats.places.size === 0) {
      // What goes on in it ends with it.
      if (seats.lost.size > 0 || seats.state === 'closing') this.#retire(seats);
      else this.#rest(seats);
    }
    this.#serve();
  }

  /** Others are in there: so many it takes. Else it takes none, and another one may, where this one once did. */
  #refused(seats: Seats, words: string): void {
    const others = seats.places.size + seats.lost.size - 1;
    if (others > 0) {
      this.#bounds = { ...this.#bounds, sessions: Math.min(this.#bounds.sessions, others) };
      return;
    }
    if (!seats.wasOfUse && seats.state === 'open')
      this.#failures.note(`${words}: is MaxSessions of its sshd 0?`);
    seats.state = 'closing';
  }
}

function closedConnection(): Error {
  return new Error('the connection to the engine is closed');
}

function noneFree(waitMs: number): Error {
  return sshFailure(`its logins are full, and no session ended within ${waitMs / 1000} s`);
}
