import { Duplex } from 'node:stream';
import type { EngineTraffic } from '../engine-traffic.ts';
import { lastLine, sessionStart, sshFailure } from './ssh-failure.ts';
import type { SshLogins, SshSession } from './ssh-logins.ts';
import { startSession } from './ssh-session.ts';
import type { SessionEnd, SshProcess } from './ssh-session.ts';

/** Each idle one is a process here, one on the engine's host, and a session of its login. */
const idleMs = 60_000;
/** What the ssh of a session exits with where not the remote command has ended, but the login. */
const loginEnded = 255;
/** Each time that sshd refuses a session, fewer are begun: no bound on sessions takes more. */
const mostStarts = 20;

type Written = (error?: Error | null) => void;

/** A session that speaks with the engine: enough of a net.Socket for http.Agent to pool it. */
export class SshConnection extends Duplex {
  readonly #logins: SshLogins;
  readonly #traffic: EngineTraffic;
  readonly #gone = new AbortController();
  #session: SshSession | undefined;
  #process: SshProcess | undefined;
  #starts = 0;
  /** What was written so far: a session that was not begun has another one say it again. Undefined once it was heard. */
  #unheard: Buffer[] | undefined = [];
  #written: Written | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(logins: SshLogins, traffic: EngineTraffic) {
    super();
    this.#logins = logins;
    this.#traffic = traffic;
    // Before http.Agent hears of it, and has the next request wait for it.
    this.on('free', () => {
      if (this.#session?.mayStay() === false) this.destroy();
    });
  }

  /** Once there is a place for it; what is written meanwhile waits. */
  override _construct(callback: (error?: Error | null) => void): void {
    void this.#construct(callback);
  }

  async #construct(callback: (error?: Error | null) => void): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      // Nobody listens to one that was given up meanwhile.
      callback(this.destroyed ? null : (error as Error));
      return;
    }
    callback();
  }

  async #begin(): Promise<void> {
    this.#starts += 1;
    const { signal } = this.#gone;
    const session = await this.#logins.open({
      traffic: this.#traffic,
      signal,
      giveWay: () => this.destroy(),
    });
    if (this.destroyed) {
      session.end();
      return;
    }
    this.#session = session;
    this.#process = startSession(session, {
      heard: (chunk) => this.#heard(session, chunk),
      failed: (error) => {
        session.end();
        this.destroy(error);
      },
      abandoned: () => session.abandon(),
      ended: (end) => void this.#ended(session, end),
    });
    for (const chunk of this.#unheard ?? []) this.#say(chunk);
  }

  #heard(session: SshSession, chunk: Buffer): boolean {
    if (this.#unheard !== undefined) session.taken();
    this.#unheard = undefined;
    return this.destroyed || this.push(chunk);
  }

  async #ended(session: SshSession, { code, said }: SessionEnd): Promise<void> {
    const start = this.#unheard === undefined ? undefined : sessionStart(said);
    const isLogins = code === loginEnded && lastLine(said) === '';
    // The ssh of a session says nothing when its login ends; that one's own does.
    const asksLogin = !this.destroyed && (isLogins || start?.kind === 'missed');
    const loginsWords = asksLogin ? await session.loginsLastWords() : '';
    if (start?.kind === 'refused') session.refused(start.words);
    if (start?.kind === 'missed') session.missed();
    if (start?.kind === 'begun' && !isLogins) session.taken();
    session.end();
    if (this.destroyed) return;
    const isUnbegun = start?.kind === 'refused' || start?.kind === 'missed';
    if (isUnbegun && this.#starts < mostStarts) {
      this.#begin().catch((error: unknown) => this.destroy(error as Error));
      return;
    }
    const words = start !== undefined && 'words' in start ? start.words : lastLine(said);
    this.destroy(sshFailure(asksLogin ? loginsWords : words));
  }

  #say(chunk: Buffer): void {
    this.#process?.stdin.write(chunk, (error) => {
      // Where it can't be, `ended` tells why, or has another session say it.
      if (error !== null && error !== undefined) return;
      const written = this.#written;
      this.#written = undefined;
      written?.();
    });
  }

  override _read(): void {
    this.#process?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Written): void {
    this.#written = callback;
    this.#unheard?.push(chunk);
    this.#say(chunk);
  }

  override _final(callback: () => void): void {
    this.#process?.stdin.end();
    callback();
  }

  override destroy(error?: Error): this {
    super.destroy(error);
    this.#gone.abort(error);
    return this;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#process?.letGo();
    callback(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  /** http.Agent has a use for it again. */
  ref(): this {
    clearTimeout(this.#idle);
    this.#session?.setIdle(false);
    this.#process?.ref();
    return this;
  }

  /** http.Agent keeps it for later. */
  unref(): this {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.destroy(), idleMs).unref();
    this.#process?.unref();
    this.#session?.setIdle(true);
    return this;
  }
}
