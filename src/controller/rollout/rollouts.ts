import { createWave } from './wave.ts';
import type { RolloutLimits, RolloutState, Turn, Wave, WaveCounts } from './wave.ts';

/** What a status says of its Tenant's part in a rollout. */
export interface Standing {
  readonly provider: string | undefined;
  readonly state: RolloutState | undefined;
}

/** The waves of all providers that have limits. The others' Tenants wait for nobody. */
export interface Rollouts {
  /** Undefined: there is no limit. */
  limitsOf(provider: string): RolloutLimits | undefined;
  ask(provider: string, key: string): Turn;
  note(key: string, standing: Standing): void;
  settle(key: string, standing: Standing): void;
  forget(key: string): void;
}

export interface RolloutsOptions {
  readonly limits: ReadonlyMap<string, RolloutLimits>;
  readonly wake: (key: string, all: boolean) => void;
  readonly onCounts: (provider: string, counts: WaveCounts) => void;
}

export function createRollouts({ limits, wake, onCounts }: RolloutsOptions): Rollouts {
  const waves = new Map<string, Wave>();
  for (const [provider, its] of limits) {
    const wave = createWave({ limits: its, wake, onCounts: (counts) => onCounts(provider, counts) });
    waves.set(provider, wave);
    onCounts(provider, wave.counts);
  }
  /** It has a part in the wave of its provider alone. */
  const inEach = (key: string, provider: string | undefined, act: (wave: Wave) => void): void => {
    for (const [name, wave] of waves) {
      if (name === provider) act(wave);
      else wave.forget(key);
    }
  };
  return {
    limitsOf: (provider) => limits.get(provider),
    ask: (provider, key) => waves.get(provider)?.ask(key) ?? 'go',
    note: (key, { provider, state }) => inEach(key, provider, (wave) => wave.note(key, state)),
    settle: (key, { provider, state }) => inEach(key, provider, (wave) => wave.settle(key, state)),
    forget: (key) => inEach(key, undefined, () => undefined),
  };
}
