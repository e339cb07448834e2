import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { applyCrds } from '../dev/apply-crds.ts';
import { buildOperator } from '../dev/build.ts';
import { dockerBlockFor } from '../dev/docker-engine.ts';
import { startRealParts } from '../dev/real-parts.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the user `admin`, who is not in the audit log. */
    kubeconfigPath: string;
    /** Of the user `landlord-operator`, whose requests are in the audit log. */
    operatorKubeconfigPath: string;
    /** https://127.0.0.1:PORT */
    apiserverUrl: string;
    /** The path of the audit log; `parseAuditLog` of dev/control-plane.ts reads it. */
    auditLog: string;
    /** Usable as DOCKER_HOST. */
    dockerHost: string;
    /** Subnets for networks with explicit addresses; empty where the engine was running before. */
    networkPool: string;
    /** `compute.docker` of an operator on this engine, without an image. */
    engineBlock: Readonly<Record<string, string>>;
    /** Where its published ports answer: `port_bind_address`. */
    publishAddress: string;
    /** Of a registry without a password, as in image references. */
    registryAddress: string;
    /** The built operator: it starts many times faster than the sources do. */
    operatorProgram: string;
  }
}

/**
 * Brings the real parts up once for all tests that need them, with the CRDs of crds/ served, and removes them at the
 * end. One that can't be had fails the run. Tests that kill or freeze a part start one of their own.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-operator-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await buildOperator(folder);
  const parts = await startRealParts();
  stack.defer(() => parts.stop());
  await applyCrds(parts.controlPlane.kubeconfigPath);
  project.provide('kubeconfigPath', parts.controlPlane.kubeconfigPath);
  project.provide('operatorKubeconfigPath', parts.controlPlane.operatorKubeconfigPath);
  project.provide('apiserverUrl', parts.controlPlane.url);
  project.provide('auditLog', parts.controlPlane.auditLogPath);
  project.provide('dockerHost', parts.engine.host);
  project.provide('networkPool', parts.engine.networkPool ?? '');
  project.provide('engineBlock', dockerBlockFor(parts.engine));
  project.provide('publishAddress', parts.engine.publishAddress);
  project.provide('registryAddress', parts.registry.address);
  project.provide('operatorProgram', join(folder, 'main.js'));
  const started = stack.move();
  return () => started.disposeAsync();
}
