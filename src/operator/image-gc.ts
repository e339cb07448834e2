import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import { ComputeError } from '../compute/errors.ts';
import { keptFor } from '../compute/image-collection.ts';
import type { Provider } from '../compute/provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { permitToCollectImages } from '../controller/steps/gate.ts';
import type { Tenant } from '../api/tenant.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import { askedImages } from './asked-images.ts';
import type { Metrics } from '../observability/metrics.ts';

interface ImageGcOptions {
  readonly providers: EnabledProviders;
  /** While not all of them are known, one that is not may need what nobody seems to. */
  readonly known: Pick<Reflector<Tenant>, 'hasSynced' | 'refusals' | 'values'>;
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
    if (!known.hasSynced() || known.refusals().length > 0) continue;
    const asked = askedImages(known.values());
    // An engine that does not answer holds up no other.
    await Promise.all(parts.map(async (part) => collect({ ...part, asked }, options, signal)));
  }
}

interface Part {
  readonly provider: Provider;
  readonly domain: string;
  readonly asked: ReadonlySet<string>;
}

async function collect(
  { provider, domain, asked }: Part,
  { metrics, logger }: ImageGcOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    const told = await provider.collectImages?.(permitToCollectImages(), signal, domain, asked);
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
