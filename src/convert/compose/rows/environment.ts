import { item, note } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import { absolute } from '../project.ts';
import type { Spot } from '../project.ts';
import { parseEnvFile } from '../read/env-file.ts';
import { bool, isDict, list, pairs, text } from '../../read/scalars.ts';
import { ofContainer } from './row.ts';
import type { Row } from './row.ts';

/** Files first: what the service says itself goes over them. */
export const environmentRows: Readonly<Record<string, Row>> = {
  env_file: (value, spot) => list(value).flatMap((file) => fromFile(file, spot)),
  environment: (value, spot) => pairs(value).map((pair) => variable(pair, spot)),
};

function variable([name, value]: readonly [string, string | null], spot: Spot): Finding {
  const known = value ?? spot.project.variables(name);
  return known === undefined
    ? note('needs', `${spot.from}.${name}`, `a value of the variable ${name}: left out, as by compose`)
    : ofContainer(spot, ['env', item(name)], { name, value: known }, `.${name}`);
}

function fromFile(file: unknown, spot: Spot): readonly Finding[] {
  const { path, required = 'true' } = isDict(file) ? file : { path: file };
  const name = text(path);
  const source = spot.project.around.read(absolute(name, spot.project.around));
  if (source !== undefined)
    return [...parseEnvFile(source, spot.project.variables)].map((pair) => variable(pair, spot));
  return bool(required)
    ? [note('needs', spot.from, `the file ${name}, which can't be read: its variables are missing`)]
    : [note('changed', spot.from, `left out: there is no ${name}`)];
}
