import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { tenantSchema, tenantSpecSchema } from '../api/tenant.ts';
import type { TenantBlocks, TenantSpecSchema } from '../api/tenant.ts';
import { convertCompose } from './compose/convert-compose.ts';
import type { Conversion } from './conversion.ts';
import { convertEcs } from './ecs/convert-ecs.ts';
import { printedNote } from './printed.ts';
import { exitCodes, told } from './told.ts';
import type { Output } from './told.ts';
import { validateManifests } from './validate.ts';

export const offlineUsage = `landlord convert compose FILE… [--strict] [--env-file FILE]… [--profile NAME]… [--project-directory DIR]
                                                 print compose files as Tenants
landlord convert ecs FILE… [--strict]            print what \`aws ecs describe-*\` prints as a Tenant
landlord validate -f FILE…                       check manifests of Tenants, without a cluster`;

const { well, refused, misused } = exitCodes;

/** `landlord convert`, `landlord validate`: what needs neither a cluster nor an engine. Resolves to the exit code. */
export function runOffline(args: readonly string[], blocks: TenantBlocks, output: Output): number {
  const [command, ...rest] = args;
  if (command === 'validate') return validate(rest, blocks, output);
  const [source, ...files] = rest;
  if (source === 'compose') return convertFiles(files, tenantSpecSchema(blocks), output);
  if (source === 'ecs') return convertEcsFiles(files, tenantSpecSchema(blocks), output);
  output.error(offlineUsage);
  return rest.includes('--help') || rest.includes('-h') ? well : misused;
}

const options = {
  strict: { type: 'boolean', default: false },
  'env-file': { type: 'string', multiple: true, default: [] as string[] },
  profile: { type: 'string', multiple: true, default: [] as string[] },
  'project-directory': { type: 'string' },
} as const;

function convertFiles(args: readonly string[], schema: TenantSpecSchema, output: Output): number {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  if (positionals.length === 0) return misusedWith(output);
  const convert = (file: string): Conversion => {
    const folder = resolve(values['project-directory'] ?? dirname(file));
    const beside = textOf(resolve(dirname(file), '.env'));
    return convertCompose(
      readFile(file),
      {
        name: nameOf(file, folder),
        folder,
        home: homedir(),
        profiles: values.profile,
        envFiles: [...(beside === undefined ? [] : [beside]), ...values['env-file'].map(readFile)],
        read: textOf,
      },
      schema,
    );
  };
  return Math.max(...positionals.map((file) => told(file, convert(file), values.strict, output)));
}

function convertEcsFiles(args: readonly string[], schema: TenantSpecSchema, output: Output): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { strict: options.strict },
  });
  if (positionals.length === 0) return misusedWith(output);
  return told(positionals.join(' '), convertEcs(positionals.map(readFile), schema), values.strict, output);
}

function validate(args: readonly string[], blocks: TenantBlocks, output: Output): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { filename: { type: 'string', short: 'f', multiple: true, default: [] } },
  });
  const files = [...values.filename, ...positionals];
  if (files.length === 0) return misusedWith(output);
  const schema = tenantSchema(blocks);
  const verdicts = files.map((file) => {
    const { tenants, faults } = validateManifests(readFile(file), schema);
    const all = tenants === 0 && faults.length === 0 ? ['there is no Tenant in it'] : faults;
    for (const fault of all) output.error(printedNote(file, { kind: 'refused', from: '', text: fault }));
    return all.length === 0 ? well : refused;
  });
  return Math.max(...verdicts);
}

function misusedWith({ error }: Output): number {
  error(offlineUsage);
  return misused;
}

/** As compose calls a project: by its folder, unless the file has a name of its own. */
function nameOf(file: string, folder: string): string {
  const name = basename(file).replace(/\.[^.]*$/, '');
  return /^(docker-)?compose\b|^-$/.test(name) ? basename(folder) : name;
}

/** `-` is what comes in. */
function readFile(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Error(`${file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause: error,
    });
  }
}

/** Undefined: there is none, or it holds no text. */
function textOf(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.includes(0) ? undefined : bytes.toString('utf8');
  } catch {
    return undefined;
  }
}
