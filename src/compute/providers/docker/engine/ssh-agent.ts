import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';

/**
 * Reaches a Docker Engine the way the docker command does: `ssh HOST docker system dial-stdio`. So ~/.ssh/config, the
 * agent and known_hosts count; the ssh client within docker-modem would trust any host key, and log in anew for each
 * request.
 */
export function sshAgent(destination: string, command = 'ssh'): Agent {
  const agent = new Agent({ keepAlive: true });
  agent.createConnection = () => new SshConnection(command, destination);
  return agent;
}

/** Enough of a net.Socket for http.Agent to pool it. */
class SshConnection extends Duplex {
  readonly #child;
  #complaint = '';

  constructor(command: string, destination: string) {
    super();
    // BatchMode: never asks for a password, which nobody would see. `--`: the address is no option.
    const args = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30', '-T', '--', destination];
    this.#child = spawn(command, [...args, 'docker', 'system', 'dial-stdio'], { stdio: 'pipe' });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#child.stdout.pause();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-1000);
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('error', (error) => this.destroy(error));
    this.#child.on('close', () => this.destroy(this.#failure()));
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, encoding, callback);
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#child.kill();
    callback(error);
  }

  #failure(): Error {
    const lastLine = this.#complaint.trim().split('\n').at(-1)?.trim();
    const said = lastLine === undefined || lastLine === '' ? 'it ended without a word' : lastLine;
    return Object.assign(new Error(`ssh: ${said}`), { code: 'ESSH' });
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

  ref(): this {
    this.#child.ref();
    return this;
  }

  unref(): this {
    this.#child.unref();
    return this;
  }
}
