import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { assertGo, controlPlaneBinaries } from '../../dev/control-plane-binaries.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'landlord-binaries-test-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

it('takes KUBEBUILDER_ASSETS where it holds both programs', async () => {
  vi.stubEnv('KUBEBUILDER_ASSETS', folder);
  await program('etcd', '');
  await expect(controlPlaneBinaries()).rejects.toThrow(`${folder}, which holds no program kube-apiserver`);
  await program('kube-apiserver', '');
  await expect(controlPlaneBinaries()).resolves.toBe(folder);
});

it('says what to install where Go is missing', async () => {
  vi.stubEnv('KUBEBUILDER_ASSETS', '');
  vi.stubEnv('PATH', folder);
  await expect(controlPlaneBinaries()).rejects.toThrow(/^Go 1\.\d+\.0 or newer is needed .*install it/);
});

it('refuses a Go that is too old, and takes a newer one', async () => {
  vi.stubEnv('PATH', folder);
  await program('go', 'echo go version go1.21.13 linux/amd64');
  await expect(assertGo('1.26.0')).rejects.toThrow('found: go version go1.21.13');
  await program('go', 'echo go version go2.0 linux/amd64');
  await expect(assertGo('1.26.0')).resolves.toBe('go version go2.0 linux/amd64');
});
