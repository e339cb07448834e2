import { apiVersion, kind } from '../api/names.ts';
import type { TenantSpecSchema } from '../api/tenant.ts';
import { Unsayable, isBeside, isNote, isPlaced, note } from './finding.ts';
import type { Beside, Finding, Note } from './finding.ts';
import { settle } from './settle.ts';

export interface Conversion {
  /** Manifests: the Tenant last. None: refused. */
  readonly manifests: readonly object[];
  readonly notes: readonly Note[];
}

/** What `convert` gives; what it can't say at all is a refusal. */
export function answered(convert: () => Conversion): Conversion {
  try {
    return convert();
  } catch (error) {
    if (error instanceof Unsayable) return { manifests: [], notes: [note('refused', '', error.message)] };
    throw error;
  }
}

/** The Tenant `name` that `findings` make, with what it needs beside it. */
export function tenantOf(name: string, findings: readonly Finding[], schema: TenantSpecSchema): Conversion {
  const own = findings.filter(isNote);
  if (own.some(({ kind }) => kind === 'refused')) return { manifests: [], notes: own };
  const { spec, notes } = settle(findings.filter(isPlaced), schema);
  if (spec === undefined) return { manifests: [], notes: [...own, ...notes] };
  const tenant = { apiVersion, kind, metadata: { name }, spec };
  return { manifests: [...besides(findings.filter(isBeside)), tenant], notes: [...own, ...notes] };
}

function besides(all: readonly Beside[]): readonly object[] {
  const objects = Map.groupBy(all, ({ of, name }) => `${of} ${name}`);
  return [...objects.values()].map((files) => {
    const [{ of, name } = { of: 'ConfigMap', name: '' }] = files;
    const content = Object.fromEntries(files.map((file) => [file.key, file.content]));
    return {
      apiVersion: 'v1',
      kind: of,
      metadata: { name },
      ...(of === 'Secret' ? { stringData: content } : { data: content }),
    };
  });
}
