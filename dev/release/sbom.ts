/** `npm run sbom`: prints what the operator is built from, as CycloneDX. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../run-command.ts';
import { productionPackages } from './licence-texts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Bom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string; name: string } };
  components: readonly { readonly 'bom-ref': string; readonly name: string; readonly version: string }[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * CycloneDX by `npm sbom`, of the production packages. npm's own `--omit=dev` leaves out a package of production that some
 * tool needs, too; and it calls a private package by the folder that it is in.
 */
export async function sbom(): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const bom = JSON.parse(await runCommand('npm', args, { cwd: root })) as Bom;
  const { name } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { name: string };
  const { component } = bom.metadata;
  component.name = name;
  const production = new Set(productionPackages(root).map((entry) => `${entry.name}@${entry.version}`));
  bom.components = bom.components.filter((entry) => production.has(`${entry.name}@${entry.version}`));
  const refs = new Set([component, ...bom.components].map((entry) => entry['bom-ref']));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

if (import.meta.main) process.stdout.write(await sbom());
