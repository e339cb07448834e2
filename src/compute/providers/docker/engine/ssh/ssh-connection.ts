import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';
import { lastLine, sshFailure } from './ssh-failure.ts';
import type { SshLogins, SshSession } from './ssh-logins.ts';
import { sessionArguments } from './ssh-options.ts';

/** Each idle one is a process here, one on the engine's host, and a session of its login. */
const idleMs = 60_000;
/** What the ssh of a session exits with where not the remote command has ended, but the login. */
const loginEnded = 255;

type Child = ChildProcessWithoutNullStreams;

/** A session that speaks with the engine: enough of a net.Socket for http.Agent to pool it. */
export class SshConnection extends Duplex {
  readonly #logins: SshLogins;
  #child: Child | undefined;
  #complaint = '';
  #idle: NodeJS.Timeout | undefined;

  constructor(logins: SshLogins) {
    super();
    this.#logins = logins;
  }

  /** Once its login is there; what is written meanwhile waits. */
  override _construct(callback: (error?: Error | null) => void): void {
    void this.#construct(callback);
  }

  async #construct(callback: (error?: Error | null) => void): Promise<void> {
    try {
      const session = await this.#logins.open();
      if (this.destroyed) session.end();
      else this.#begin(session);
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  #begin(session: SshSession): void {
    const child = spawn('ssh', sessionArguments(session), { stdio: 'pipe' });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-1000);
    });
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.destroy(error));
    child.on('close', (code) => {
      session.end();
      void this.#failure(session, code).then((error) => this.destroy(error));
    });
  }

  override _read(): void {
    this.#child?.stdout.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child?.stdin.write(chunk, encoding, callback);
  }

  override _final(callback: () => void): void {
    if (this.#child === undefined) callback();
    else this.#child.stdin.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#child?.kill();
    callback(error);
  }

  async #failure(session: SshSession, code: number | null): Promise<Error> {
    const said = lastLine(this.#complaint);
    // The ssh of a session says nothing when its login ends; that one's own does.
    return sshFailure(said === '' && code === loginEnded ? await session.loginsLastWords() : said);
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
    this.#child?.ref();
    return this;
  }

  /** http.Agent keeps it for later. */
  unref(): this {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.destroy(), idleMs).unref();
    this.#child?.unref();
    return this;
  }
}
