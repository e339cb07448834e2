import { ComputeError } from '../../compute/errors.ts';
import { namedReads } from './named-reads.ts';
import type { ConfigMapReads } from './source.ts';

/**
 * Reads one tenant's ConfigMaps, each at most once per pass. Only ever from the tenant's own namespace. What is not there is
 * InvalidSpec, for the spec names it: there is no reason of its own among those that a Ready condition may bear. The watch
 * brings the Tenant back as soon as there is one.
 */
export interface ConfigMapReader {
  /** Rejects with ComputeError InvalidSpec, naming ConfigMap and key. */
  value(name: string, key: string): Promise<string>;
  /** All that is text, by its key. Rejects with ComputeError InvalidSpec. */
  values(name: string): Promise<ReadonlyMap<string, string>>;
  /** All that it has, text and bytes, in base64. Rejects with ComputeError InvalidSpec. */
  files(name: string): Promise<ReadonlyMap<string, string>>;
}

export function createConfigMapReader(
  reads: ConfigMapReads,
  namespace: string,
  signal: AbortSignal,
): ConfigMapReader {
  const configMapOf = namedReads({ reads, kind: 'ConfigMap', missing: 'InvalidSpec', namespace }, signal);
  return {
    async value(name, key) {
      const { data, binaryData } = await configMapOf(name);
      const value = data?.[key];
      if (value !== undefined) return value;
      const what =
        binaryData?.[key] === undefined
          ? `has no key ${key}; add it`
          : `has ${key} in binaryData, not as text`;
      throw new ComputeError('InvalidSpec', `ConfigMap ${name} in namespace ${namespace} ${what}`);
    },
    async files(name) {
      const { data = {}, binaryData = {} } = await configMapOf(name);
      const texts = Object.entries(data).map(
        ([key, text]) => [key, Buffer.from(text).toString('base64')] as const,
      );
      return new Map([...texts, ...Object.entries(binaryData)]);
    },
    values: async (name) => new Map(Object.entries((await configMapOf(name)).data ?? {})),
  };
}
