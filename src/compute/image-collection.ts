import type { Permit } from './permit.ts';

/**
 * Why an image stays. `others`: it is not proven that Landlord alone has brought it, and that nobody else uses it; `used`: a
 * container is made of it; `wanted`: a Tenant asks for it; `rollback`: one may go back to it; `grace`: nobody needs it, and
 * not for long enough; `due`: it would be removed, but for dry_run, or the engine would not let it go.
 */
export const keptFor = ['others', 'used', 'wanted', 'rollback', 'grace', 'due'] as const;
export type KeptFor = (typeof keptFor)[number];

/** What one look at the images of an engine came to. */
export interface ImageCollection {
  /** See `Desired.domain`. */
  readonly domain: string;
  /** Images that are there. */
  readonly kept: Readonly<Record<KeptFor, number>>;
  readonly removed: number;
  /** Of the removed ones, as the engine lists them: what two of them share is in each. */
  readonly bytes: number;
}

/** What a provider can do that keeps the images of its engines itself. */
export interface CollectsImages {
  /**
   * Removes from an engine what pulls of this instance have brought to it, and nobody needs any more. Undefined: not everything
   * that tells so is known by now. Left out: it is switched off, or the engine sees to that by itself. `asked`: images, as the
   * Tenants ask for them, be it that the provider has not heard of them yet. Rejects with AccessDenied, Throttled,
   * ProviderUnavailable.
   */
  collectImages?(
    permit: Permit,
    signal: AbortSignal,
    domain?: string,
    asked?: ReadonlySet<string>,
  ): Promise<ImageCollection | undefined>;
}
