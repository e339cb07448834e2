import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import { HashKey } from '../compute/spec/spec-hash.ts';
import { ownNamespace } from '../config/environment.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { ensureSecret } from '../kube/client/ensure-secret.ts';
import { isApiError, messageOf } from '../kube/client/kube-api-error.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';

/** Where the key of the installation comes from. What is lost with it is convenience: see docs/decisions/0003. */

export const hashKeySecret = 'landlord-hash-key';
const entry = 'key';
const keyBytes = 32;
const retryMs = 1_000;

export interface HashKeySource {
  readonly client: KubeClient;
  readonly config: Pick<OperatorConfig, 'hash_key_file' | 'leader_election'>;
  /** Whether values of secrets come to the operator at all: else there is nothing to be kept from guessing. */
  readonly needed: boolean;
  readonly logger: Logger;
}

/** Throws where the file that the config names holds no key; undefined: it was stopped before the apiserver answered. */
export async function installationKey(
  { client, config, needed, logger }: HashKeySource,
  signal: AbortSignal,
): Promise<HashKey | undefined> {
  const { hash_key_file: file, leader_election: lease } = config;
  if (!needed) return keyOfProcess();
  if (file !== '') return new HashKey(keyFromFile(file));
  const namespace = lease.namespace === '' ? ownNamespace() : lease.namespace;
  if (namespace === undefined) {
    logger.info(`outside of a cluster there is no place for the Secret ${hashKeySecret}: ${consequence}`);
    return keyOfProcess();
  }
  return keyFromSecret({ client, namespace, logger }, signal);
}

interface SecretSource extends Pick<HashKeySource, 'client' | 'logger'> {
  readonly namespace: string;
}

async function keyFromSecret(
  { client, namespace, logger }: SecretSource,
  signal: AbortSignal,
): Promise<HashKey | undefined> {
  const secret = { name: hashKeySecret, namespace, data: () => ({ [entry]: newKey() }) };
  while (!signal.aborted) {
    try {
      const { data } = await ensureSecret(client, secret, { signal });
      const bytes = Buffer.from(data?.[entry] ?? '', 'base64');
      if (bytes.length >= keyBytes) return new HashKey(bytes);
      logger.error(
        { namespace },
        `the Secret ${hashKeySecret} has no key of ${keyBytes} bytes: ${consequence}`,
      );
      return keyOfProcess();
    } catch (error) {
      if (isApiError(error, 400, 403, 404, 422)) {
        logger.warn({ error, namespace }, `the Secret ${hashKeySecret} can not be had: ${consequence}`);
        return keyOfProcess();
      }
      if (!signal.aborted)
        logger.warn(
          { error },
          `the apiserver can not be asked for the Secret ${hashKeySecret} yet; trying again`,
        );
    }
    await sleep(retryMs, signal);
  }
  return undefined;
}

const consequence =
  'the hashes of this process end with it. Nothing rolls for that, but each restart inspects every container that has ' +
  'secrets. Grant the operator create, and get on this one, or name a file with hash_key_file';

function keyOfProcess(): HashKey {
  return new HashKey(randomBytes(keyBytes));
}

function newKey(): string {
  return randomBytes(keyBytes).toString('base64');
}

function keyFromFile(file: string): Uint8Array {
  const bytes = read(file);
  if (bytes.length >= keyBytes) return bytes;
  throw new Error(
    `hash_key_file: ${file} holds ${bytes.length} bytes, must be at least ${keyBytes} random ones`,
  );
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`hash_key_file: ${file} can't be read: ${messageOf(error)}`, { cause: error });
  }
}
