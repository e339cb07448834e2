import type { Logger } from 'pino';
import { durationMs } from '../../../../../api/duration.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EngineSettings } from '../../state/desired-tenant.ts';
import { createImageGc } from './gc/image-gc.ts';
import type { ImageGc } from './gc/image-gc.ts';
import { createImageAccess } from './image-access.ts';
import type { ImageAccess } from './image-access.ts';

export interface Images {
  readonly access: ImageAccess;
  /** Undefined: nothing is ever removed, and nothing written down for it. */
  readonly gc: ImageGc | undefined;
}

/** `onDone`: a pull for a tenant has ended, or a registry has answered. */
export function createImages(
  engine: Engine,
  { block, ownership, engineName = '' }: EngineSettings,
  logger: Logger,
  onDone: (tenantId: string) => void,
): Images {
  const { enabled, grace_period, dry_run: dryRun } = block.image_gc;
  if (!enabled) return { access: createImageAccess(engine, logger, onDone), gc: undefined };
  const graceMs = durationMs(grace_period);
  const gc = createImageGc({ engine, ownership, domain: engineName, graceMs, dryRun, logger });
  const access = createImageAccess(pullingBy(gc.pullImage, engine), logger, onDone);
  return {
    gc,
    access: {
      ...access,
      keepOnly(tenantId, images) {
        gc.want(tenantId, images);
        access.keepOnly(tenantId, images);
      },
      forget(tenantId) {
        gc.forget(tenantId);
        access.forget(tenantId);
      },
    },
  };
}

function pullingBy(pullImage: Engine['pullImage'], engine: Engine): Engine {
  return new Proxy(engine, {
    get: (target, key) => (key === 'pullImage' ? pullImage : (Reflect.get(target, key) as unknown)),
  });
}
