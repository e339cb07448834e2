import { describe, expect, test, vi } from 'vitest';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { runImport } from '../../src/import/command.ts';

const landlord = async (...args: string[]) => {
  const lines: string[] = [];
  const output = { out: () => undefined, error: (line: string) => void lines.push(line) };
  const code = await runImport(
    args,
    { blocks: tenantBlocks, environment: { DOCKER_HOST: 'unix:///nowhere.sock' }, output },
    new AbortController().signal,
  );
  return { code, lines };
};

test.each<[args: string[], code: number]>([
  [['import'], 2],
  [['import', '--help'], 0],
  [['import', 'podman', 'x'], 2],
  [['import', 'docker'], 2],
  [['import', 'docker', '--strict'], 2],
  [['import', 'ecs'], 2],
  [['import', 'ecs', 'one', 'other'], 2],
])('says how it is used: %j ends with %i', async (args, code) => {
  const said = await landlord(...args);
  expect(said.code).toBe(code);
  expect(said.lines.join('\n')).toMatch(/^landlord import docker NAME/);
});

describe('what can not be read ends with one line', () => {
  test.each([
    [
      ['docker', 'web'],
      /^Docker Engine at unix:\/\/\/nowhere\.sock .*, and --host, or DOCKER_HOST, right\?$/,
    ],
    [['docker', 'web', '--host', 'nowhere://x'], /^--host: not the address of a Docker Engine/],
    [['docker', 'web', '--hots', 'x'], /--hots/],
  ])('%j', async (args, message) => {
    await expect(landlord('import', ...args)).rejects.toThrow(message);
  });

  test('without a region', async () => {
    for (const name of ['AWS_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere');
    try {
      await expect(landlord('import', 'ecs', 'web')).rejects.toThrow(/^no region: name it by --region/);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
