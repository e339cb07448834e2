import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilAborted } from '../../../src/async/until-aborted.ts';
import { asComputeErrors, ComputeError } from '../../../src/compute/errors.ts';
import { ownershipOf } from '../../../src/compute/ownership.ts';
import type { Marks } from '../../../src/compute/ownership.ts';
import { policyFor } from '../../../src/compute/policy-by-namespace.ts';
import { checkCommonPolicy } from '../../../src/compute/policy.ts';
import type { CreateProvider, Desired, Observation, Provider } from '../../../src/compute/provider.ts';
import { specHash } from '../../../src/compute/spec/spec-hash.ts';
import type { FolderConfig } from './config.ts';

/** The smallest provider that keeps the whole contract: a tenant's workload is a file that bears its owner's marks. */

interface DesiredFile extends Desired {
  readonly marks: Marks;
  readonly greeting: string;
}

interface StoredFile {
  readonly marks: Marks;
  readonly specHash: string;
  readonly greeting: string;
}

export const createFolderProvider: CreateProvider = ({ block }, { instance, clusterUid, policy }) => {
  const { path } = block as { readonly path: string };
  const ownership = ownershipOf({ instance, clusterUid, adoptClusters: [] }, 'folder', 'landlord');
  const fileOf = (tenantId: string): string => join(path, `${tenantId}.json`);

  const read = async (file: string): Promise<StoredFile | undefined> => {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as StoredFile);
  };

  /** What is there, unless it is somebody else's. */
  const readOwn = async (at: Pick<Desired, 'tenantId' | 'namespace' | 'name'>) => {
    const stored = await read(fileOf(at.tenantId));
    if (stored === undefined || ownership.belongsTo(at, stored.marks)) return stored;
    throw new ComputeError(
      'ProviderConflict',
      `${fileOf(at.tenantId)} ${ownership.describe(at, stored.marks)}`,
    );
  };

  const run = <T>(operation: () => Promise<T>): Promise<T> =>
    asComputeErrors({ engine: 'folder' }, operation);

  const put = (desired: DesiredFile, signal: AbortSignal) =>
    run(async () => {
      signal.throwIfAborted();
      const { tenantId, marks, greeting } = desired;
      if ((await readOwn(desired))?.specHash !== desired.specHash) {
        await mkdir(path, { recursive: true });
        await writeFile(fileOf(tenantId), JSON.stringify({ marks, greeting, specHash: desired.specHash }));
      }
      return { outcome: 'done', message: 'written' } as const;
    });

  const provider: Provider<DesiredFile> = {
    name: 'folder',
    desired(spec) {
      checkCommonPolicy(policyFor(policy, spec.tenant.namespace), spec.containers);
      const { tenantId, tenant } = spec;
      const { greeting = 'hello' } = spec.config as FolderConfig;
      return {
        tenantId,
        namespace: tenant.namespace,
        name: tenant.name,
        placement: { provider: 'folder', path },
        domain: path,
        specHash: specHash('v1', clusterUid, { greeting, containers: spec.containers }),
        marks: ownership.of(spec),
        greeting,
      };
    },
    validate: async () => undefined,
    provision: (desired, _permit, signal) => put(desired, signal),
    update: (desired, _permit, signal) => put(desired, signal),
    hold: async () => ({ outcome: 'done', message: 'kept' }),
    destroy: (at, _permit, signal) =>
      run(async () => {
        signal.throwIfAborted();
        const stored = await read(fileOf(at.tenantId));
        if (stored !== undefined && ownership.belongsTo(at, stored.marks)) await rm(fileOf(at.tenantId));
        return { outcome: 'gone', message: 'nothing is left' };
      }),
    getStatus: (at, against) => run(async () => observation(await readOwn(at), against?.specHash)),
    list: () =>
      run(async () => {
        const placement = { provider: 'folder', path };
        const names = await readdir(path).catch(() => []);
        const files = await Promise.all(names.map((name) => read(join(path, name))));
        return files.flatMap((file) => {
          const tenant = ownership.tenantOf(file?.marks);
          return tenant === undefined
            ? []
            : [{ ...tenant, resource: `file ${fileOf(tenant.tenantId)}`, isData: false, placement }];
        });
      }),
    watch: (_onChange, signal) => untilAborted(signal),
    close: async () => undefined,
  };
  return provider;
};

function observation(stored: StoredFile | undefined, wanted: string | undefined): Observation {
  const running = stored === undefined ? 0 : 1;
  const actual = stored?.specHash ?? '';
  return {
    exists: stored !== undefined,
    compute: {
      state: running ? 'running' : 'stopped',
      health: running ? 'healthy' : 'unknown',
      running,
      desired: running,
    },
    changes:
      stored === undefined || wanted === undefined || wanted === actual
        ? []
        : [{ path: 'greeting', desired: wanted, actual, cause: 'spec', effect: 'replace' }],
  };
}
