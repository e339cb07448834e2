import { isConflict } from './kube-api-error.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { resource } from './resource.ts';
import type { CallOptions } from './resource.ts';

/** A Secret as the apiserver serves it: values in base64. */
export interface StoredSecret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretToEnsure {
  readonly name: string;
  readonly namespace: string;
  /** In base64, by key; asked for only where there is no such Secret. */
  readonly data: () => Readonly<Record<string, string>>;
}

const secretsResource = { group: '', version: 'v1', plural: 'secrets', namespaced: true };

/** The Secret that is there, or else one that is made now; of several who make it at once, all get the same. */
export async function ensureSecret(
  client: KubeClient,
  { name, namespace, data }: SecretToEnsure,
  call: CallOptions,
): Promise<StoredSecret> {
  const secrets = resource<StoredSecret>(client, secretsResource);
  const known = await secrets.get(name, namespace, call);
  if (known !== undefined) return known;
  const made = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', immutable: true, data: data() };
  try {
    return await secrets.create({ ...made, metadata: { name, namespace } }, call);
  } catch (error) {
    const winner = isConflict(error) ? await secrets.get(name, namespace, call) : undefined;
    if (winner === undefined) throw error;
    return winner;
  }
}
