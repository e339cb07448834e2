import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tenantSpecSchema } from '../api/tenant.ts';
import type { TenantBlocks } from '../api/tenant.ts';
import { ComputeError } from '../compute/errors.ts';
import type { Environment } from '../config/environment.ts';
import type { Conversion } from '../convert/conversion.ts';
import { dnsLabelOf } from '../convert/names.ts';
import { exitCodes, told } from '../convert/told.ts';
import type { Output } from '../convert/told.ts';
import { createLogger } from '../observability/logger.ts';

export const importUsage = `landlord import docker NAME… [--project NAME] [--name TENANT] [--host ADDRESS] [--strict]
                                                 print containers that an engine runs as a Tenant
landlord import ecs SERVICE [--cluster NAME] [--region NAME] [--endpoint URL] [--strict]
                                                 print a service of ECS as a Tenant`;

export interface ImportOptions {
  readonly blocks: TenantBlocks;
  readonly environment: Environment;
  readonly output: Output;
}

/** What an engine or ECS says is told as an Error of one line. */
const logger = createLogger({ level: 'silent', format: 'json' });

/** `landlord import`: reads, and changes nothing. Resolves to the exit code; rejects where nothing can be read. */
export async function runImport(
  args: readonly string[],
  options: ImportOptions,
  signal: AbortSignal,
): Promise<number> {
  const [, source, ...rest] = args;
  if (source === 'docker') return importContainers(rest, options, signal);
  if (source === 'ecs') return importService(rest, options, signal);
  return misused(options, rest.includes('--help') || source === '--help' || source === '-h');
}

async function importContainers(
  args: readonly string[],
  options: ImportOptions,
  signal: AbortSignal,
): Promise<number> {
  const { values, positionals: names } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      strict: { type: 'boolean', default: false },
      host: { type: 'string', default: '' },
      project: { type: 'string' },
      name: { type: 'string' },
    },
  });
  const { project, host, strict } = values;
  if (names.length === 0 && project === undefined) return misused(options);
  const { createEngineClient } = await import('../compute/providers/docker/engine/engine-client.ts');
  const { readEngine } = await import('./docker/read-engine.ts');
  const { importDocker } = await import('./docker/import-docker.ts');
  const { environment, blocks, output } = options;
  const dockerHostEnv = environment['DOCKER_HOST'];
  const tls = await tlsOf(environment);
  const engine = createEngineClient({ host, path: '--host', dockerHostEnv, tls, logger });
  let conversion: Conversion;
  try {
    const found = await readEngine(engine, { names, project }, signal);
    const [first = ''] = found.containers.keys();
    const name = dnsLabelOf(values.name ?? project ?? first);
    conversion = importDocker(name, found, tenantSpecSchema(blocks));
  } catch (error) {
    throw inWordsOfCall(error);
  } finally {
    engine.close();
  }
  return told([...(project === undefined ? [] : [project]), ...names].join(' '), conversion, strict, output);
}

/** What the provider says is for who writes the operator's config. */
function inWordsOfCall(error: unknown): unknown {
  if (!(error instanceof ComputeError)) return error;
  const message = error.message
    .replace('its host in compute.docker', '--host, or DOCKER_HOST,')
    .replace("the operator's user", 'your user');
  return new Error(message, { cause: error });
}

/** As the docker command has it. */
async function tlsOf({ DOCKER_TLS_VERIFY: isAsked, DOCKER_CERT_PATH: folder }: Environment) {
  if (isAsked === undefined || isAsked === '') return undefined;
  const { readTls } = await import('../compute/providers/docker/engine/engine-tls.ts');
  const at = (file: string): string => join(folder ?? join(homedir(), '.docker'), file);
  return readTls(
    { ca_file: at('ca.pem'), cert_file: at('cert.pem'), key_file: at('key.pem') },
    'DOCKER_CERT_PATH',
  );
}

async function importService(
  args: readonly string[],
  options: ImportOptions,
  signal: AbortSignal,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      strict: { type: 'boolean', default: false },
      cluster: { type: 'string' },
      region: { type: 'string' },
      endpoint: { type: 'string' },
    },
  });
  const [service, ...others] = positionals;
  if (service === undefined || others.length > 0) return misused(options);
  const { importEcs } = await import('./import-ecs.ts');
  const { environment, blocks, output } = options;
  const { strict, cluster, endpoint } = values;
  const otherRegion = environment['AWS_DEFAULT_REGION'];
  const wish = { service, cluster, region: values.region, otherRegion, endpoint, logger };
  const conversion = await importEcs(wish, tenantSpecSchema(blocks), signal);
  return told(service, conversion, strict, output);
}

function misused({ output }: ImportOptions, isAsked = false): number {
  output.error(importUsage);
  return isAsked ? exitCodes.well : exitCodes.misused;
}
