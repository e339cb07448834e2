import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Called for each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/**
 * Runs a program to its end and returns its standard output. Rejects with the end of its standard error when it
 * fails, and with `ENOENT` as the error's code when there is no such program.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  let line = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000);
    const lines = (line + text).split('\n');
    line = lines.pop() ?? '';
    for (const complete of lines) options.onErrorLine?.(complete);
  });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const failure = await new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (failure === undefined) return output;
  const tail = errors.trim().split('\n').slice(-20).join('\n');
  throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed (${failure}):\n${tail}`);
}
