import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { runOffline } from '../../src/convert/command.ts';

/** Compose files as they are written for software that people run themselves; LANDLORD_CORPUS names other ones. */
const own = join(import.meta.dirname, '../corpus');
const folder = process.env['LANDLORD_CORPUS'] ?? own;

/** What a Tenant is not meant to say. */
const allowed = [
  /^services\.[^:]+\.build: /,
  /^services\.[^:]+\.(privileged|devices|gpus|deploy\.resources\.reservations\.devices): /,
  /^services\.[^:]+\.pid: dropped: pid host/,
];

interface Outcome {
  readonly file: string;
  readonly isWhole: boolean;
  readonly out: string;
  /** What is lost. */
  readonly lost: readonly string[];
}

function outcome(file: string): Outcome {
  let out = '';
  const lines: string[] = [];
  const code = runOffline(
    ['convert', 'compose', '--strict', '--profile', '*', join(folder, file)],
    tenantBlocks,
    {
      out: (text) => (out += text),
      error: (line) => lines.push(line.slice(join(folder, file).length + 2)),
    },
  );
  const lost = lines.filter((line) => /(^|: )(dropped|refused): /.test(line));
  return { file, isWhole: code === 0 || lost.length === 0, out, lost };
}

const files = globSync('**/*.{yml,yaml}', { cwd: folder })
  .filter((file) => /^services:/m.test(readFileSync(join(folder, file), 'utf8')))
  .toSorted();
const outcomes = files.map(outcome);

describe(`compose files in ${relative(process.cwd(), folder)}`, () => {
  test('are there', () => {
    expect(files.length).toBeGreaterThanOrEqual(folder === own ? 60 : 1);
  });

  test('can be said in a Tenant, with nothing dropped, but for 3 in 100', () => {
    const whole = outcomes.filter(({ isWhole }) => isWhole);
    const lost = outcomes
      .filter(({ isWhole }) => !isWhole)
      .map(({ file, lost }) => `${file}: ${lost.join(' | ')}`);
    expect(whole.length / outcomes.length, lost.join('\n')).toBeGreaterThanOrEqual(0.97);
  });

  test('lose nothing but what no Tenant is meant to say', () => {
    const others = outcomes.flatMap(({ file, lost }) =>
      lost.filter((line) => !allowed.some((pattern) => pattern.test(line))).map((line) => `${file}: ${line}`),
    );
    expect(others).toEqual([]);
  });

  test('give manifests that the schema takes', () => {
    const schema = tenantSchema(tenantBlocks);
    const refused = outcomes.flatMap(({ file, out }) =>
      parseAllDocuments(out, { version: '1.1' })
        .map((document): unknown => document.toJS())
        .filter((manifest) => (manifest as { kind?: unknown } | null)?.kind === 'Tenant')
        .filter((tenant) => !schema.safeParse(tenant).success)
        .map(() => file),
    );
    expect(refused).toEqual([]);
  });
});
