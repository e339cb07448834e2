import { doneWithin } from '../../../../../async/done-within.ts';
import type { SshLogin } from './ssh-login.ts';
import type { SshPath } from './ssh-options.ts';

/** A place in a login. */
export interface SshSession extends SshPath {
  /** What the login said when it ended; empty where it goes on, or ended without a word. */
  loginsLastWords(): Promise<string>;
  /** Gives the place back. */
  end(): void;
}

/** The logins at one engine's host: as few as its sessions need. */
export interface SshLogins {
  /** Rejects with what ssh says where there can be none. */
  open(): Promise<SshSession>;
  close(): void;
}

/** sshd takes 10 sessions into a login, unless its MaxSessions says otherwise. */
export const sshBounds = { logins: 4, sessions: 10 } as const;

/** A session may learn of the end of its login before we do. */
const lastWordsMs = 1_000;

export class SharedSshLogins implements SshLogins {
  readonly #start: () => SshLogin;
  readonly #bounds: { readonly logins: number; readonly sessions: number };
  /** Sessions in each. */
  readonly #logins = new Map<SshLogin, number>();
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(start: () => SshLogin, bounds: { logins: number; sessions: number } = sshBounds) {
    this.#start = start;
    this.#bounds = bounds;
  }

  async open(): Promise<SshSession> {
    const login = await this.#take();
    const end = (): void => this.#giveBack(login);
    try {
      await login.ready;
    } catch (error) {
      end();
      throw error;
    }
    return { ...login.path, end, loginsLastWords: () => lastWords(login) };
  }

  close(): void {
    this.#closed = true;
    for (const login of this.#logins.keys()) login.close();
    this.#wakeAll();
  }

  async #take(): Promise<SshLogin> {
    for (;;) {
      if (this.#closed) throw new Error('the connection to the engine is closed');
      const login = this.#withRoom();
      if (login !== undefined) {
        this.#logins.set(login, (this.#logins.get(login) ?? 0) + 1);
        return login;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The first one, so that few are needed. */
  #withRoom(): SshLogin | undefined {
    const { logins, sessions } = this.#bounds;
    const found = [...this.#logins].find(([, taken]) => taken < sessions)?.[0];
    return found ?? (this.#logins.size < logins ? this.#begin() : undefined);
  }

  #begin(): SshLogin {
    const login = this.#start();
    this.#logins.set(login, 0);
    void this.#forgetAtItsEnd(login);
    return login;
  }

  async #forgetAtItsEnd(login: SshLogin): Promise<void> {
    await login.ended;
    this.#logins.delete(login);
    this.#wakeAll();
  }

  #giveBack(login: SshLogin): void {
    const taken = this.#logins.get(login);
    if (taken !== undefined) this.#logins.set(login, taken - 1);
    this.#waiting.shift()?.();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

async function lastWords({ ended }: SshLogin): Promise<string> {
  return (await doneWithin(ended, lastWordsMs)) ? ended : '';
}
