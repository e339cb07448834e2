import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installManifest } from './install-manifest.ts';
import { licenceTexts, productionPackages } from './licence-texts.ts';
import { packagedChart } from './packaged-chart.ts';
import { sbom } from './sbom.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ReleaseOptions {
  /** The repository of the operator's image, without a tag: `registry.example/landlord`. By default as deploy/ has it. */
  readonly image?: string;
}

/** Everything that a release is, by the names of its files. */
export async function releaseFiles({ image }: ReleaseOptions = {}): Promise<Map<string, string | Buffer>> {
  const manifest = await readFile(join(root, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const files = new Map<string, string | Buffer>([
    ['install.yaml', `# Landlord ${version}: kubectl apply -f install.yaml\n${await installManifest(image)}`],
    ['crds.yaml', await readFile(join(root, 'crds/landlord.dev_tenants.yaml'), 'utf8')],
    await packagedChart(image),
    ['sbom.cdx.json', await sbom()],
    ['LICENSE', await readFile(join(root, 'LICENSE'), 'utf8')],
    ['THIRD-PARTY-LICENSES.txt', licenceTexts(productionPackages(root))],
  ]);
  files.set('SHA256SUMS', checksums(files));
  return files;
}

/** As `sha256sum --check` reads it. */
function checksums(files: ReadonlyMap<string, string | Buffer>): string {
  const lines = [...files].map(
    ([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`,
  );
  return lines.join('');
}
