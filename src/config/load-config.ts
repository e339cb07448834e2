import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { explainIssues } from '../api/explain-issues.ts';
import type { ProviderDefinition } from '../compute/provider.ts';
import { ownNamespace, processEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { operatorConfigSchema } from './operator-config.ts';
import type { OperatorConfig } from './operator-config.ts';

/** A mistake in the operator's config: one line that names file and path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Block = Record<string, unknown>;

/** Keys that older configs have, and what to do instead. */
const legacyKeys = {
  default_provider:
    'is not supported any more: name the provider in each Tenant (spec.computeProvider or a label)',
  defaults:
    "is not supported any more: put the defaults into the provider's own block, such as compute.docker",
} as const;

/** Reads and checks the config file. Throws ConfigError. */
export function loadConfig(
  file: string,
  providers: readonly ProviderDefinition[],
  environment: Environment = processEnvironment(),
): OperatorConfig {
  return withOwnNamespace(parseConfig(readConfig(file), file, { providers, environment }), file);
}

/** With the operator's own namespace among those to watch, where the config says so. Throws ConfigError where it has none. */
export function withOwnNamespace(config: OperatorConfig, file: string, own = ownNamespace()): OperatorConfig {
  const { namespaces, own_namespace: isWatched } = config.controller;
  if (!isWatched) return config;
  if (own === undefined) {
    throw new ConfigError(
      `${file}: controller.own_namespace: there is none outside of a cluster; name the namespace in controller.namespaces`,
    );
  }
  return { ...config, controller: { ...config.controller, namespaces: [...new Set([...namespaces, own])] } };
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `${file}: can't be read (${code ?? String(error)}); name the config with --config FILE`,
    );
  }
}

export function parseConfig(
  text: string,
  file: string,
  options: { readonly providers: readonly ProviderDefinition[]; readonly environment: Environment },
): OperatorConfig {
  const { providers, environment } = options;
  // `compute:` with every block under it commented out is null: no provider, not a wrong type.
  const raw = parseYaml(text, file);
  const compute = (raw['compute'] ??= {});
  if (isBlock(compute)) {
    for (const [key, message] of Object.entries(legacyKeys)) {
      if (key in compute) throw new ConfigError(`${file}: compute.${key}: ${message}`);
    }
    for (const { name, environment: defaults = {} } of providers) {
      if (!(name in compute)) continue;
      // `mock:` with nothing behind it is an empty block, and enables.
      const block = (compute[name] ??= {});
      if (isBlock(block)) fillFromEnvironment(block, defaults, environment);
    }
    const unknown = Object.keys(compute).find(
      (name) => !providers.some((provider) => provider.name === name),
    );
    if (unknown !== undefined) {
      const known = providers.map(({ name }) => name).join(', ');
      throw new ConfigError(`${file}: compute.${unknown}: is not a known provider; known are ${known}`);
    }
  }
  const parsed = operatorConfigSchema(providers).safeParse(raw);
  if (!parsed.success) throw new ConfigError(`${file}: ${explainIssues(parsed.error)}`);
  return parsed.data as unknown as OperatorConfig;
}

function parseYaml(text: string, file: string): Block {
  // `error`: what it would print as a warning is an error here, such as an unknown !tag.
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'error' });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) {
    const { line, col } = fault.linePos?.[0] ?? { line: 0, col: 0 };
    const [what = ''] = fault.message.split(/ at line |; please use/);
    throw new ConfigError(`${file}: line ${line}, column ${col}: is not YAML: ${what}`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // An alias without its anchor.
    throw new ConfigError(`${file}: is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (value === null || value === undefined) return {};
  if (!isBlock(value)) throw new ConfigError(`${file}: must be a YAML mapping with the key compute`);
  return value;
}

function fillFromEnvironment(
  block: Block,
  defaults: Readonly<Record<string, string>>,
  environment: Environment,
): void {
  for (const [key, variable] of Object.entries(defaults)) {
    const value = environment[variable];
    if ((block[key] ?? '') === '' && value !== undefined) block[key] = value;
  }
}

function isBlock(value: unknown): value is Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
