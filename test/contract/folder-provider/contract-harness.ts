import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '../../../src/compute/provider.ts';
import { mockContext, mockSpec } from '../../compute/providers/mock/mock-spec.ts';
import type { ContractCase } from '../provider-contract.ts';
import { createFolderProvider } from './provider.ts';

export const contractCases: readonly ContractCase[] = [
  {
    name: 'folder',
    async makeHarness() {
      const path = await mkdtemp(join(tmpdir(), 'landlord-folder-'));
      return {
        provider: (instance = 'default') =>
          createFolderProvider({ block: { path }, policy: {} }, { ...mockContext(), instance }) as Provider,
        spec: (tenantId, state) => ({
          ...mockSpec({ greeting: state }, tenantId),
          tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' },
        }),
        // What is done again shows in the time of the file's last change.
        writes: undefined,
        async occupy(tenantId) {
          const file = join(path, `${tenantId}.json`);
          await writeFile(file, JSON.stringify({ marks: {}, specHash: '', greeting: 'mine' }));
          return async () => [await readFile(file, 'utf8'), (await stat(file)).mtimeMs];
        },
        silent: undefined,
        close: () => rm(path, { recursive: true }),
      };
    },
  },
];
