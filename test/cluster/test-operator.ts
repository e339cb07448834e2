import { stringify } from 'yaml';
import { inject } from 'vitest';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { loadKubeConfig } from '../../src/kube/client/load-kube-config.ts';
import { runOperator } from '../../src/operator.ts';
import { silentLogger } from './silent-logger.ts';
import type { Logger } from 'pino';

export interface TestOperatorOptions {
  /** The namespaces that it watches, so that tests can share a control plane. */
  readonly namespaces: readonly string[];
  readonly compute: Readonly<Record<string, unknown>>;
  /** Further parts of the config file. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly kubeconfigPath?: string;
  readonly logger?: Logger;
}

export interface TestOperator {
  /** As SIGTERM does it. */
  stop(): Promise<void>;
}

/** The whole operator in this process, as `landlord run` composes it. */
export function startTestOperator(options: TestOperatorOptions): TestOperator {
  const text = stringify({
    compute: options.compute,
    controller: { namespaces: [...options.namespaces] },
    server: { address: '127.0.0.1:0' },
    ...options.config,
  });
  const config = parseConfig(text, 'test.yaml', { providers: providerDefinitions, environment: {} });
  const stop = new AbortController();
  const kubeConfig = loadKubeConfig(options.kubeconfigPath ?? inject('operatorKubeconfigPath'));
  const running = runOperator({ config, kubeConfig, logger: options.logger ?? silentLogger }, stop.signal);
  running.catch(() => undefined);
  return {
    async stop() {
      stop.abort();
      await running.catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    },
  };
}
