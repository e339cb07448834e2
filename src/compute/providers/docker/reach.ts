import type { Logger } from 'pino';
import { durationMs } from '../../../api/duration.ts';
import type { ProviderContext } from '../../provider.ts';
import type { DockerOperatorBlock } from './config.ts';
import { createEngineClient } from './engine/engine-client.ts';
import { guardEngine } from './engine/engine-guard.ts';
import { readTls } from './engine/engine-tls.ts';
import type { Engine } from './engine/engine.ts';
import { containerMarks } from './state/container-marks.ts';
import { engineIdentity } from './watch/places/engine-identity.ts';
import { createEnginePlaces } from './watch/places/engine-places.ts';

/** How a provider comes to its engine. */

export interface DockerContext extends ProviderContext {
  /** Milliseconds that a container without health check must run to count as healthy. For tests. */
  readonly settleMs?: number;
  /** Milliseconds that a pause must last to count as one. For tests. */
  readonly pauseMs?: number;
  /** Makes the client of an engine at an address. For tests. */
  readonly connect?: (host: string) => Engine;
  /** The engine's name in `engines`. Absent: it is the block's own. */
  readonly engineName?: string;
}

/** Reads what it needs for TLS at once, so that the start fails where that can't be read. */
export function connector(
  block: DockerOperatorBlock,
  path: string,
  logger: Logger,
): (host: string) => Engine {
  const tls = readTls(block.tls, `${path}.tls`);
  return (host) =>
    createEngineClient({
      host,
      path: `${path}.host`,
      tls,
      logger,
      marks: containerMarks,
      pullSilenceMs: durationMs(block.pull_silence),
      pullDeadlineMs: durationMs(block.pull_deadline),
    });
}

/** The engine of now, and the way to those of before. */
export function reach(engine: Engine, block: DockerOperatorBlock, context: DockerContext) {
  const { connect = connector(block, 'compute.docker', context.logger), engineName: name } = context;
  const guard = guardEngine(engine);
  const identity = engineIdentity(guard.engine);
  return {
    guard,
    identity,
    places: createEnginePlaces(engine, identity, { name, connect, formerHosts: block.former_hosts }),
  };
}
