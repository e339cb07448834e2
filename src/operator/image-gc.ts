import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import { ComputeError } from '../compute/errors.ts';
import { keptFor } from '../compute/image-collection.ts';
import type { Provider } from '../compute/provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { permitToCollectImages } from '../controller/steps/gate.ts';
import type { Metrics } from '../observability/metrics.ts';

interface ImageGcOptions {
  readonly providers: EnabledProviders;
  /** Whether all Tenants are known by now: until then nobody has said what it needs. */
  readonly known: { hasSynced(): boolean };
  readonly intervalMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Has the providers that do so remove images that nobody needs any more, every `intervalMs` until `signal` aborts. */
export async function collectImages(options: ImageGcOptions, signal: AbortSignal): Promise<void> {
  const { providers, known, intervalMs } = options;
  const parts = [...providers.values()].flatMap(({ provider }) =>
    provider.collectImages === undefined
      ? []
      : (provider.domains ?? ['']).map((domain) => ({ provider, domain })),
  );
  if (parts.length === 0) return;
  while (await sleep(intervalMs, signal, { ref: false })) {
    if (!known.hasSynced()) continue;
    // An engine that does not answer holds up no other.
    await Promise.all(parts.map(async (part) => collect(part, options, signal)));
  }
}

async function collect(
  { provider, domain }: { readonly provider: Provider; readonly domain: string },
  { metrics, logger }: ImageGcOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    const told = await provider.collectImages?.(permitToCollectImages(), signal, domain);
    if (told === undefined) return;
    const engine = told.domain;
    for (const why of keptFor) metrics.dockerImagesKept.set({ engine, why }, told.kept[why]);
    metrics.dockerImagesRemoved.inc({ engine }, told.removed);
    metrics.dockerImagesRemovedBytes.inc({ engine }, told.bytes);
  } catch (error) {
    // The next round looks again.
    if (signal.aborted) return;
    const facts = { provider: provider.name, engine: domain };
    if (error instanceof ComputeError)
      logger.debug({ ...facts, error: error.message }, 'images are not looked at');
    else logger.error({ err: error, ...facts }, 'the look at images failed');
  }
}
