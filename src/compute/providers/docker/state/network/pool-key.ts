import type { EngineSettings } from '../desired-tenant.ts';

/** Of the operator's config: what widens the pool for this engine, and no other. */
export function poolKey({ engineName = '' }: Pick<EngineSettings, 'engineName'>): string {
  return `compute.docker.${engineName === '' ? '' : `engines.${engineName}.`}network_pool`;
}
