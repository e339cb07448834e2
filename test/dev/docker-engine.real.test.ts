import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { dockerAt } from '../../dev/docker-at.ts';
import { engineProcesses, mountsBelow } from '../../dev/docker-engine-remains.ts';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import { networkSnapshot } from '../../dev/machine-network.ts';
import type { NetworkSnapshot } from '../../dev/machine-network.ts';
import { runCommand } from '../../dev/run-command.ts';
import { runContainer } from './run-container.ts';

async function startEngine(): Promise<PrivateDockerEngine> {
  const engine = await startPrivateDockerEngine();
  onTestFinished(() => engine.stop());
  return engine;
}

/** With its number: by the time of the look another engine may have the name. */
async function linkOf(name: string): Promise<string | undefined> {
  const snapshot = await networkSnapshot();
  return snapshot['links']?.find((line) => line.split(' ')[1] === name);
}

async function remains(folder: string, link: string | undefined): Promise<Record<string, unknown>> {
  return {
    processes: await engineProcesses(folder),
    mounts: await mountsBelow(folder),
    folder: existsSync(folder),
    link: (await networkSnapshot())['links']?.includes(link ?? '') ?? false,
  };
}

const nothingLeft = { processes: [], mounts: [], folder: false, link: false };

describe('a private engine', () => {
  it('runs a container from the registry and leaves nothing after stop', async () => {
    const engine = await startEngine();
    const link = await linkOf(engine.link);
    expect(link).toContain(engine.link);
    const url = await runContainer(engine, inject('registryAddress'));
    await expect.poll(async () => (await fetch(url)).text()).toBe('version 1\n');
    expect((await engineProcesses(engine.folder)).length).toBeGreaterThan(3);
    await engine.stop();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(await remains(engine.folder, link)).toEqual(nothingLeft);
  });

  it('keeps its containers while dockerd is killed and started again', async () => {
    const engine = await startEngine();
    const docker = new Docker({ socketPath: engine.socketPath });
    await runContainer(engine, inject('registryAddress'));
    await engine.kill();
    await expect(docker.ping()).rejects.toThrow('ECONNREFUSED');
    await engine.start();
    expect(await docker.listContainers({ all: true })).toHaveLength(1);
  });

  it('is silent while frozen', async () => {
    const engine = await startEngine();
    const docker = new Docker({ socketPath: engine.socketPath });
    engine.freeze();
    let answered = false;
    const version = docker.version().finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(false);
    engine.thaw();
    expect((await version).ApiVersion).toMatch(/^1\./);
  });

  it('stands beside another one', async () => {
    const registryAddress = inject('registryAddress');
    const [one, other] = await Promise.all([startEngine(), startEngine()]);
    await Promise.all([runContainer(one, registryAddress), runContainer(other, registryAddress)]);
    expect(other.networkPool).not.toBe(one.networkPool);
    await one.stop();
    const docker = new Docker({ socketPath: other.socketPath });
    expect(await docker.listContainers()).toHaveLength(1);
  });

  it('leaves the network of a machine with a Docker Engine of its own as it was, killed and started again', async () => {
    const script = fileURLToPath(new URL('engine-beside-docker0.ts', import.meta.url));
    const printed = await runCommand('unshare', ['--net', process.execPath, script]);
    const { before, after, answer } = JSON.parse(printed) as Record<string, NetworkSnapshot>;
    expect(before?.['links']?.some((line) => line.includes('docker0 172.17.0.1/16'))).toBe(true);
    expect(answer).toBe('version 1\n');
    expect(after).toEqual(before);
  });

  it('goes with all it runs when the program that started it is killed', async () => {
    const script = fileURLToPath(new URL('engine-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, [script, inject('registryAddress')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { folder, link: name } = JSON.parse(line) as { folder: string; link: string };
    const link = await linkOf(name);
    expect(link).toContain(name);
    expect((await engineProcesses(folder)).length).toBeGreaterThan(3);
    owner.kill('SIGKILL');
    await expect.poll(() => remains(folder, link), { timeout: 20_000 }).toEqual(nothingLeft);
  });
});

it('the run has an engine that answers', async () => {
  expect(String(await dockerAt(inject('dockerHost')).ping())).toBe('OK');
});
