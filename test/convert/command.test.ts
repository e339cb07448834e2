import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { runOffline } from '../../src/convert/command.ts';

let folder: string;

const files = {
  'shop/compose.yml':
    'services: {web: {image: "a:${TAG}", restart: always, env_file: a.env, environment: {MODE: "0644"}}}',
  'shop/.env': 'TAG=1',
  'shop/a.env': 'A=yes',
  'other.env': 'TAG=2',
  'lossy.yml': 'services: {web: {image: a, restart: always, group_add: ["7"]}}',
  'built.yml': 'services: {web: {build: .}}',
  'good.yaml':
    'kind: Service\n---\napiVersion: landlord.dev/v1alpha1\nkind: Tenant\nmetadata: {name: a}\nspec: {}\n',
  'bad.yaml':
    'apiVersion: landlord.dev/v1alpha1\nkind: Tenant\nmetadata: {name: A}\nspec: {replica: 1, containers: [{name: a}]}\n',
  'none.yaml': 'kind: Service\n',
  'broken.yaml': 'a: [\n',
  'definition.json': JSON.stringify({ containerDefinitions: [{ name: 'web', image: 'a:1' }], family: 'web' }),
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'landlord-convert-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Names of files stand for those in the folder. */
function landlord(...args: string[]) {
  let out = '';
  const lines: string[] = [];
  const known = args.map((arg) => (arg in files ? join(folder, arg) : arg));
  const code = runOffline(known, tenantBlocks, {
    out: (text) => (out += text),
    error: (line) => lines.push(line.replaceAll(`${folder}/`, '')),
  });
  return { code, out, lines };
}

function specOf(out: string): unknown {
  return (parseAllDocuments(out, { version: '1.1' }).at(-1)?.toJS() as { spec: unknown } | undefined)?.spec;
}

describe('landlord convert', () => {
  test('prints a Tenant that kubectl reads as it was meant, and that validate takes', () => {
    const { code, out } = landlord('convert', 'compose', 'shop/compose.yml');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^---\napiVersion: landlord\.dev\/v1alpha1\nkind: Tenant\nmetadata:\n {2}name: shop\n/,
    );
    expect(specOf(out)).toMatchObject({
      containers: [
        {
          name: 'web',
          image: 'a:1',
          env: [
            { name: 'A', value: 'yes' },
            { name: 'MODE', value: '0644' },
          ],
        },
      ],
    });
    const printed = join(folder, 'printed.yaml');
    writeFileSync(printed, out);
    expect(landlord('validate', '-f', printed)).toEqual({ code: 0, out: '', lines: [] });
  });

  test('takes variables from --env-file over those of .env', () => {
    const { out } = landlord('convert', 'compose', 'shop/compose.yml', '--env-file', 'other.env');
    expect(specOf(out)).toMatchObject({ containers: [{ image: 'a:2' }] });
  });

  test('says on a line of its own what is dropped, which is a failure with --strict alone', () => {
    const easy = landlord('convert', 'compose', 'lossy.yml');
    const strict = landlord('convert', 'compose', '--strict', 'lossy.yml');
    expect(easy.code).toBe(0);
    expect(strict).toEqual({ ...easy, code: 1 });
    expect(easy.lines).toContain('lossy.yml: services.web.group_add: dropped: no field of a Tenant says it');
  });

  test('fails where a file is refused, and prints the others all the same', () => {
    const { code, out, lines } = landlord('convert', 'compose', 'built.yml', 'shop/compose.yml');
    expect(code).toBe(1);
    expect(out.match(/^kind: Tenant$/gm)).toHaveLength(1);
    expect(lines[0]).toMatch(/^built\.yml: services\.web\.build: refused: /);
  });

  test('takes what ECS prints', () => {
    const { code, out } = landlord('convert', 'ecs', 'definition.json', '--strict');
    expect(code).toBe(0);
    expect(specOf(out)).toEqual({ containers: [{ name: 'web', image: 'a:1' }] });
  });

  test('ends with one line about a file that is not there', () => {
    expect(() => landlord('convert', 'compose', '/nowhere.yml')).toThrow(
      "/nowhere.yml can't be read (ENOENT)",
    );
  });
});

describe('landlord validate', () => {
  test('passes over manifests of others', () => {
    expect(landlord('validate', '-f', 'good.yaml')).toEqual({ code: 0, out: '', lines: [] });
  });

  test.each<[file: string, lines: (string | RegExp)[]]>([
    [
      'bad.yaml',
      [
        /^bad\.yaml: refused: Tenant A: metadata\.name: /,
        /^bad\.yaml: refused: Tenant A: spec\.containers\[0\]\.image: is required$/,
        /^bad\.yaml: refused: Tenant A: spec\.replica: is not a known key$/,
      ],
    ],
    ['none.yaml', [/^none\.yaml: refused: there is no Tenant in it$/]],
    ['broken.yaml', [/^broken\.yaml: refused: /]],
  ])('says each fault of %s, and fails', (file, lines) => {
    const said = landlord('validate', 'good.yaml', '-f', file);
    expect(said.code).toBe(1);
    expect(said.lines).toEqual(lines.map((line) => expect.stringMatching(line)));
  });
});

test.each<[args: string[], code: number]>([
  [['convert'], 2],
  [['convert', '--help'], 0],
  [['convert', 'helm', 'x'], 2],
  [['convert', 'compose'], 2],
  [['convert', 'ecs', '--strict'], 2],
  [['validate'], 2],
])('says how it is used: %j ends with %i', (args, code) => {
  const said = landlord(...args);
  expect(said.code).toBe(code);
  expect(said.lines.join('\n')).toMatch(/^landlord convert compose FILE/);
});
