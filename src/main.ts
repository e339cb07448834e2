#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { crdYaml } from './api/crd/crd-yaml.ts';
import { providerDefinitions, tenantBlocks } from './compute/registry.ts';
import { processEnvironment } from './config/environment.ts';
import { ConfigError, loadConfig } from './config/load-config.ts';
import type { Output } from './convert/told.ts';
import { loadKubeConfig } from './kube/client/load-kube-config.ts';
import { createLogger } from './observability/logger.ts';
import { runOperator } from './operator.ts';

const usage = `landlord run --config FILE [--kubeconfig FILE]   run the operator
landlord crd                                     print the CustomResourceDefinition of Tenant
landlord convert compose|ecs FILE… [--strict]    print what others run as Tenants
landlord import docker NAME…|ecs SERVICE         print what an engine or ECS runs as a Tenant
landlord validate -f FILE…                       check manifests of Tenants, without a cluster`;

/** What needs neither a cluster nor an engine, and is loaded with its first use alone. */
const offline = new Set(['convert', 'validate']);

const output: Output = {
  out: (text) => process.stdout.write(text),
  error: (line) => console.error(line),
};

async function main(args: readonly string[]): Promise<number> {
  if (offline.has(args[0] ?? '')) {
    const { runOffline } = await import('./convert/command.ts');
    return runOffline(args, tenantBlocks, output);
  }
  if (args[0] === 'import') {
    const { runImport } = await import('./import/command.ts');
    return runImport(
      args,
      { blocks: tenantBlocks, environment: processEnvironment(), output },
      new AbortController().signal,
    );
  }
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string', default: 'landlord.yaml' },
      kubeconfig: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command = values.help ? 'help' : 'run'] = positionals;
  if (values.help || positionals.length > 1 || !['run', 'crd'].includes(command)) {
    console.error(usage);
    return values.help ? 0 : 2;
  }
  if (command === 'crd') {
    process.stdout.write(crdYaml(tenantBlocks));
    return 0;
  }
  const config = loadConfig(values.config, providerDefinitions);
  const logger = createLogger(config.log);
  const stop = new AbortController();
  for (const signalName of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signalName, () => {
      logger.info({ signal: signalName }, 'stopping: running passes may end, nothing new begins');
      stop.abort();
    });
  }
  process.on('unhandledRejection', (error) => {
    // A defect of ours. What is on the engines is safe: a fresh process finds all of it.
    logger.fatal({ err: error }, 'unhandled rejection');
    process.exit(70);
  });
  const ended = await runOperator(
    { config, kubeConfig: loadKubeConfig(values.kubeconfig), logger },
    stop.signal,
  );
  // At once, whatever is still open: another replica may lead from now on.
  if (ended === 'lost') process.exit(1);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`landlord: ${message}`);
  process.exitCode =
    error instanceof ConfigError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
}
