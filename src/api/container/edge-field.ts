import { z } from 'zod';
import type { Rule } from '../rules.ts';

/** A host port that stays open while the container behind it is replaced. No transforms: see compute-fields.ts. */

/**
 * In seconds. The least is what a proxy takes to hear of a successor, and as much to spare: it asks every half second, and gives
 * an answer as long.
 */
export const drainBounds = { least: 3, most: 3600, default: 10 } as const;

export const edge = z
  .strictObject({
    mode: z
      .enum(['TCP', 'HTTP'])
      .optional()
      .describe(
        'TCP, the default: a connection stays with who it was opened to. HTTP: each request of HTTP/1.1 goes to who serves by then, ' +
          'so that a connection that its client keeps outlives a rollout; X-Forwarded-For says whose it is.',
      ),
    drainSeconds: z
      .int()
      .min(drainBounds.least)
      .max(drainBounds.most)
      .optional()
      .describe(
        `How long connections to what was succeeded may go on before it is stopped, ${drainBounds.least} to ${drainBounds.most} seconds. ` +
          `Default: ${drainBounds.default}.`,
      ),
  })
  .optional()
  .describe(
    'The host port is held by a proxy of the tenant beside its containers, so that a rollout has no gap there: new connections go ' +
      'to the successor once it is proven, those that are open end at the old container. For a hostPort by TCP, on Docker.',
  );

interface Edged {
  readonly edge?: object | undefined;
  readonly hostPort?: number | undefined;
  readonly protocol?: string | undefined;
}

export const edgeRules: readonly Rule<Edged>[] = [
  {
    rule: '!has(self.edge) || has(self.hostPort)',
    message: 'edge keeps a port of the host: hostPort must say which',
    fieldPath: '.edge',
    holds: ({ edge: kept, hostPort }) => kept === undefined || hostPort !== undefined,
  },
  {
    rule: "!has(self.edge) || !has(self.protocol) || self.protocol == 'TCP'",
    message: 'edge is for TCP alone: leave it out for UDP and SCTP',
    fieldPath: '.edge',
    holds: ({ edge: kept, protocol = 'TCP' }) => kept === undefined || protocol === 'TCP',
  },
];
