/** A health check in the engine's words; times in nanoseconds. Absent or 0: as the image has it, else the engine's default. */
export interface EngineHealthCheck {
  readonly Test?: readonly string[] | null | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly Retries?: number | undefined;
  readonly StartPeriod?: number | undefined;
  readonly StartInterval?: number | undefined;
}

const second = 1e9;
const longest = 300 * second;

/** What an image may ask for of its check: only a Tenant may ask for more. */
const bounds = {
  Interval: [second, longest],
  Timeout: [second, longest],
  Retries: [1, 10],
  StartPeriod: [0, longest],
  StartInterval: [second, longest],
} as const satisfies Partial<Record<keyof EngineHealthCheck, readonly [number, number]>>;

type Figure = keyof typeof bounds;

/** The least start period that is not taken for "as the image has it". */
const noStartPeriod = 1e6;

/**
 * The check that a container is made with, so that the one of its image can neither keep the host busy nor a rollout waiting:
 * an image is as little to be trusted as a manifest. Undefined: the image's own stands, if it has one.
 */
export function boundedHealthCheck(
  ofImage: EngineHealthCheck | null | undefined,
  ofSpec: EngineHealthCheck | undefined,
): EngineHealthCheck | undefined {
  if (ofImage === null || ofImage === undefined) return ofSpec;
  if (ofSpec?.Test?.[0] === 'NONE') return ofSpec;
  const hasNone = (ofImage.Test ?? []).length === 0 || ofImage.Test?.[0] === 'NONE';
  if (ofSpec === undefined && hasNone) return undefined;
  const clamped = (Object.keys(bounds) as Figure[]).flatMap((figure) => {
    const value = ofSpec?.[figure] ?? 0;
    const own = ofImage[figure] ?? 0;
    // The engine takes the image's where a request says 0.
    if (value !== 0 || own === 0) return [];
    if (ofSpec?.[figure] === 0) return [[figure, noStartPeriod]];
    const [least, most] = bounds[figure];
    const within = Math.min(most, Math.max(least, own));
    return within === own ? [] : [[figure, within || noStartPeriod]];
  });
  if (clamped.length === 0) return ofSpec;
  return { ...ofSpec, ...(Object.fromEntries(clamped) as EngineHealthCheck) };
}
