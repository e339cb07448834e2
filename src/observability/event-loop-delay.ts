import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Milliseconds from one look at the event loop to the next. */
const lookEveryMs = 10;

const quantiles = [0.5, 0.99, 1] as const;

/**
 * How late the turns of the event loop come, in seconds, by what keeps it busy: of the time since the scrape before, so that
 * none hides behind the quiet of days. 1 is the latest of all.
 */
export function eventLoopDelay(registry: Registry): Gauge<'quantile'> {
  const looks = monitorEventLoopDelay({ resolution: lookEveryMs });
  looks.enable();
  return new Gauge({
    name: 'landlord_event_loop_delay_seconds',
    help: 'How late turns of the event loop came, since the scrape before.',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of quantiles) {
        // What is recorded is the time from look to look.
        const lateMs = looks.percentile(100 * quantile) / 1e6 - lookEveryMs;
        this.set({ quantile }, Math.max(0, lateMs) / 1_000);
      }
      looks.reset();
    },
  });
}
