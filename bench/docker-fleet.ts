import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { stringify } from 'yaml';
import { applyCrds } from '../dev/apply-crds.ts';
import { startChild } from '../dev/child-process.ts';
import type { Child } from '../dev/child-process.ts';
import { dockerAt } from '../dev/docker-at.ts';
import { dockerBlockFor } from '../dev/docker-engine.ts';
import { pushImage } from '../dev/images.ts';
import { kubeRequest } from '../dev/kube-request.ts';
import { removeOnDeath } from '../dev/leftovers.ts';
import { withProgress } from '../dev/progress.ts';
import { startRealParts } from '../dev/real-parts.ts';
import type { RealParts } from '../dev/real-parts.ts';
import { operatorCommand } from './operator-command.ts';

/** Tenants that run on a real engine, and the operator that keeps them running, as a process of dist/. */
export interface DockerFleet {
  readonly tenants: readonly string[];
  readonly docker: Dockerode;
  /** The id of the tenant's container, in whatever state. */
  containerOf(tenant: string): Promise<string>;
  /** Deletes the tenants, waits until the operator has removed their containers, and stops everything. */
  remove(): Promise<void>;
}

const tenantsPath = '/apis/landlord.dev/v1alpha1/namespaces/default/tenants';

/** A container starts in 0.3 s or so on a machine that does nothing else. */
const fleetTimeoutMs = 300_000;

interface TenantState {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly phase?: string };
}

export async function setUpFleet(instance: string, size: number): Promise<DockerFleet> {
  const parts = await withProgress(
    'starting the control plane, the Docker Engine and the registry',
    startRealParts,
  );
  const folder = await mkdtemp(join(tmpdir(), 'landlord-bench-'));
  const forget = removeOnDeath({ kind: 'folder', path: folder });
  const kubeconfigPath = parts.controlPlane.kubeconfigPath;
  const docker = dockerAt(parts.engine.host);
  let operator: Child | undefined;
  const remove = async (): Promise<void> => {
    if (operator?.ending() === undefined && operator !== undefined) {
      await withProgress('deleting the tenants', () => deleteAll(kubeconfigPath));
    }
    await operator?.kill();
    await parts.stop();
    await rm(folder, { recursive: true, force: true });
    forget();
  };
  try {
    await applyCrds(kubeconfigPath);
    operator = await startOperator(parts, folder, instance);
    const tenants = Array.from({ length: size }, (_, index) => `bench-${String(index).padStart(3, '0')}`);
    const fleet = { tenants, kubeconfigPath, operator };
    await withProgress(`bringing up ${size} tenants`, (note) => bringUp(fleet, note));
    return {
      tenants,
      docker,
      remove,
      containerOf: async (tenant) => {
        const label = [`landlord.owner=${instance}`, `landlord.tenant_name=${tenant}`];
        const [found] = await docker.listContainers({ all: true, filters: { label } });
        if (found === undefined) throw new Error(`the engine has no container of ${tenant}`);
        return found.Id;
      },
    };
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
}

async function startOperator(parts: RealParts, folder: string, instance: string): Promise<Child> {
  const image = await pushImage(parts.registry, { repository: 'app', tag: '1' });
  const docker = { ...dockerBlockFor(parts.engine), image };
  const config = { instance, compute: { docker }, server: { address: '127.0.0.1:0' } };
  const configFile = join(folder, 'landlord.yaml');
  await writeFile(configFile, stringify(config));
  const [command, ...args] = operatorCommand(configFile);
  const { operatorKubeconfigPath } = parts.controlPlane;
  return startChild({
    name: 'the operator',
    command,
    args: [...args, '--kubeconfig', operatorKubeconfigPath],
    logFile: join(folder, 'operator.log'),
  });
}

interface FleetToBe {
  readonly tenants: readonly string[];
  readonly kubeconfigPath: string;
  readonly operator: Child;
}

async function bringUp(
  { tenants, kubeconfigPath, operator }: FleetToBe,
  note: (detail: string) => void,
): Promise<void> {
  for (const name of tenants) {
    const body = { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec: {} };
    const { status, body: answer } = await kubeRequest(kubeconfigPath, {
      method: 'POST',
      path: tenantsPath,
      body,
    });
    if (status >= 300) throw new Error(`the apiserver refuses ${name}: ${JSON.stringify(answer)}`);
  }
  await untilTenants(kubeconfigPath, 'are Ready', (states) => {
    const ending = operator.ending();
    if (ending !== undefined) throw new Error(`the operator has ended (${ending}) instead of serving`);
    const ready = states.filter(({ status }) => status?.phase === 'Ready').length;
    note(`${ready} of ${tenants.length}`);
    return ready === tenants.length;
  });
}

async function deleteAll(kubeconfigPath: string): Promise<void> {
  await kubeRequest(kubeconfigPath, { method: 'DELETE', path: tenantsPath });
  await untilTenants(kubeconfigPath, 'are gone', (states) => states.length === 0);
}

async function untilTenants(
  kubeconfigPath: string,
  what: string,
  holds: (states: readonly TenantState[]) => boolean,
): Promise<void> {
  const deadline = Date.now() + fleetTimeoutMs;
  for (;;) {
    const { body } = await kubeRequest(kubeconfigPath, { path: tenantsPath });
    const states = (body as { items: TenantState[] }).items;
    if (holds(states)) return;
    if (Date.now() > deadline) {
      const phases = states.map(({ metadata, status }) => `${metadata.name} ${status?.phase ?? 'new'}`);
      throw new Error(
        `not all tenants ${what} after ${fleetTimeoutMs / 1000} s: ${phases.slice(0, 10).join(', ')}`,
      );
    }
    await sleep(500);
  }
}
