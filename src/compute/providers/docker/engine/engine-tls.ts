import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { EngineTls } from './engine-transport.ts';

export interface TlsFiles {
  readonly ca_file?: string | undefined;
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
}

/** `path`: where the files are named. Throws an Error of one line that names it, where one can't be read or used. */
export function readTls(files: TlsFiles | undefined, path: string): EngineTls | undefined {
  if (files === undefined) return undefined;
  const read = (key: keyof TlsFiles): string | undefined => {
    const file = files[key];
    return file === undefined ? undefined : contentOf(file, `${path}.${key}`);
  };
  const [ca, cert, key] = [read('ca_file'), read('cert_file'), read('key_file')];
  if (ca !== undefined) usable(`${path}.ca_file`, () => new X509Certificate(ca));
  if (cert !== undefined) usable(`${path}.cert_file`, () => createSecureContext({ cert, key }));
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert, key: key ?? '' }) };
}

function contentOf(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: ${file} can't be read (${code ?? String(error)})`, { cause: error });
  }
}

/** What a connection would only say at its first call. */
function usable(path: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${path}: is of no use, with its key where it has one (${message})`, { cause: error });
  }
}
