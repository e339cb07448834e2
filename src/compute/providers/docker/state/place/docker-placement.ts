import type { Placement } from '../../../../../api/status.ts';

/** As far as the config tells: which engine it is, `Provider.locate` adds. `engine`: its name, where it has one. */
export function dockerPlacement(labelPrefix: string, tenantId: string, engine = ''): Placement {
  return { provider: 'docker', labelPrefix, tenantId, ...engineIn(engine) };
}

/** What a placement says of the name. */
export function engineIn(engine: string): Pick<Placement, 'engine'> {
  return engine === '' ? {} : { engine };
}
