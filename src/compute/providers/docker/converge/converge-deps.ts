import type { Logger } from 'pino';
import type { Clock } from '../state/container-health.ts';
import type { DesiredTenant, EngineSettings } from '../state/desired-tenant.ts';
import type { InPlace } from '../watch/in-place.ts';
import type { EngineView } from '../watch/engine-view.ts';
import type { Permit } from '../../../permit.ts';
import type { InTurn } from '../../../../async/at-most.ts';
import type { Engine } from '../engine/engine.ts';
import type { ImageAccess } from './images/image-access.ts';
import type { Networks } from './networks.ts';
import type { Retreats } from './retreats.ts';
import type { KeptFindings } from './stops/kept-findings.ts';
import type { PendingStops } from './stops/pending-stops.ts';

export interface Attempt {
  readonly desired: DesiredTenant;
  /** Only keep running what was there before. */
  readonly hold: boolean;
  readonly permit: Permit;
  /** What a refusal of the engine is called. */
  readonly failure: 'ProvisionFailed' | 'UpdateFailed';
}

export interface ConvergeDeps {
  readonly engine: Engine;
  readonly view: EngineView;
  readonly images: ImageAccess;
  readonly networks: Networks;
  readonly settings: EngineSettings;
  readonly clock: () => Clock;
  readonly inPlace: InPlace;
  readonly retreats: Retreats;
  readonly pendingStops: PendingStops;
  readonly keptFindings: KeptFindings;
  readonly logger: Logger;
  /** Lets few creates and starts through at once: beyond 8 only the latency grows. */
  readonly throttle: InTurn;
}
