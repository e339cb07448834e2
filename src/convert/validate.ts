import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { oversize } from '../api/bounded.ts';
import { explainIssues } from '../api/explain-issues.ts';
import { apiVersion, group, kind } from '../api/names.ts';
import type { tenantSchema } from '../api/tenant.ts';
import { isDict, named } from './read/scalars.ts';

export interface Verdict {
  /** How many Tenants there are. */
  readonly tenants: number;
  /** What the apiserver would refuse, one line each. */
  readonly faults: readonly string[];
}

/** Checks each Tenant in `source` as `kubectl apply` would, without a cluster. Other manifests are passed over. */
export function validateManifests(source: string, schema: ReturnType<typeof tenantSchema>): Verdict {
  const documents = parseAllDocuments(source, { version: '1.1', logLevel: 'silent' });
  const broken = documents
    .flatMap(({ errors }) => errors)
    .map(({ message }) => message.split('\n', 1)[0] ?? '');
  if (broken.length > 0) return { tenants: 0, faults: broken };
  const tenants = documents.map((document): unknown => document.toJS()).filter(isTenant);
  return { tenants: tenants.length, faults: tenants.flatMap((tenant) => faultsOf(tenant, schema)) };
}

interface Manifest {
  readonly apiVersion: string;
  readonly metadata?: { readonly name?: unknown };
  readonly spec?: unknown;
}

function isTenant(value: unknown): value is Manifest {
  return isDict(value) && value['kind'] === kind && named(value['apiVersion']).startsWith(`${group}/`);
}

function faultsOf(tenant: Manifest, schema: ReturnType<typeof tenantSchema>): string[] {
  const name = tenant.metadata?.name;
  const { error } = schema.safeParse(tenant);
  const tooLarge = oversize(tenant.spec);
  return [
    ...(tenant.apiVersion === apiVersion ? [] : [`apiVersion: must be ${apiVersion}`]),
    ...(typeof name === 'string' && isObjectName(name) ? [] : ['metadata.name: must be a DNS name']),
    ...(error?.issues ?? []).map((issue) => explainIssues(new z.ZodError([issue]))),
    ...(tooLarge === undefined ? [] : [`spec: ${tooLarge}`]),
  ].map((fault) => `${kind} ${named(name)}: ${fault}`);
}

function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name);
}
