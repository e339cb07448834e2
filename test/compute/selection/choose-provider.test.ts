import { describe, expect, test } from 'vitest';
import { chooseProvider } from '../../../src/compute/selection/choose-provider.ts';
import type { ChoiceInput } from '../../../src/compute/selection/choose-provider.ts';
import { ComputeError } from '../../../src/compute/errors.ts';

const enabled = ['docker', 'ecs', 'mock'];
const choose = (input: Partial<ChoiceInput>): string => chooseProvider({ blocks: [], enabled, ...input });

/** Every place that can name a provider, first hit first. Each names `docker`; those after it name `ecs`. */
const places: readonly [where: string, says: (provider: string) => Partial<ChoiceInput>][] = [
  ['spec.computeProvider', (provider) => ({ computeProvider: provider })],
  [
    'label landlord.dev/compute-provider',
    (provider) => ({ labels: { 'landlord.dev/compute-provider': provider } }),
  ],
  ['label compute_provider', (provider) => ({ labels: { compute_provider: provider } })],
  ['label compute_provider_type', (provider) => ({ labels: { compute_provider_type: provider } })],
  [
    'annotation landlord.dev/compute-provider',
    (provider) => ({ annotations: { 'landlord.dev/compute-provider': provider } }),
  ],
  ['annotation compute_provider', (provider) => ({ annotations: { compute_provider: provider } })],
  ['annotation compute_provider_type', (provider) => ({ annotations: { compute_provider_type: provider } })],
  ['the only block', (provider) => ({ blocks: [provider] })],
  ['the placement', (provider) => ({ placedOn: provider })],
];

/** All of these at once: labels and annotations of several places stand side by side. */
function together(inputs: readonly Partial<ChoiceInput>[]): Partial<ChoiceInput> {
  return inputs.reduce(
    (all, input) => ({
      ...input,
      ...all,
      labels: { ...input.labels, ...all.labels },
      annotations: { ...input.annotations, ...all.annotations },
    }),
    {},
  );
}

function refusal(input: Partial<ChoiceInput>): ComputeError {
  try {
    throw new Error(`${choose(input)} was chosen`);
  } catch (error) {
    if (error instanceof ComputeError) return error;
    throw error;
  }
}

describe('the provider is chosen', () => {
  test.each(places)('by %s alone', (_where, says) => {
    expect(choose(says('docker'))).toBe('docker');
  });

  test.each(places.map(([where, says], index) => ({ where, says, later: places.slice(index + 1) })))(
    'by $where before everything after it',
    ({ says, later }) => {
      const others = together(later.map(([, sayOther]) => sayOther('ecs')));
      expect(choose(together([says('docker'), others]))).toBe('docker');
    },
  );

  test.each(places.slice(1).map(([where], index) => ({ where, rest: places.slice(index + 1) })))(
    'by $where and what comes after it, where nothing before it speaks',
    ({ rest }) => {
      expect(choose(together(rest.map(([, says]) => says('ecs'))))).toBe('ecs');
    },
  );

  test('as the only enabled one, where nothing is said', () => {
    expect(choose({ enabled: ['mock'] })).toBe('mock');
  });

  test('without regard to empty labels and annotations', () => {
    const labels = { 'landlord.dev/compute-provider': '', compute_provider: 'ecs' };
    expect(choose({ labels })).toBe('ecs');
    expect(
      choose({ labels: { compute_provider: '' }, annotations: { compute_provider: '' }, blocks: ['mock'] }),
    ).toBe('mock');
  });

  test('by the one block whose provider is enabled, whatever other blocks there are', () => {
    expect(choose({ blocks: ['docker', 'ecs'], enabled: ['ecs', 'mock'] })).toBe('ecs');
  });

  test('by the placement where there are several blocks', () => {
    expect(choose({ blocks: ['docker', 'ecs'], placedOn: 'ecs' })).toBe('ecs');
  });

  test('so that a second provider that is enabled later moves nobody', () => {
    expect(choose({ enabled: ['docker'] })).toBe('docker');
    expect(choose({ enabled: ['docker', 'ecs'], placedOn: 'docker' })).toBe('docker');
  });

  test('anew where the placement names a provider that is not enabled any more', () => {
    expect(choose({ enabled: ['mock'], placedOn: 'docker' })).toBe('mock');
  });
});

describe('no provider is chosen', () => {
  test.each<[string, Partial<ChoiceInput>]>([
    ['nothing is said', {}],
    ['two blocks could be meant', { blocks: ['docker', 'ecs'] }],
    ['labels are empty', { labels: { compute_provider: '' } }],
    ['the placement is not enabled', { placedOn: 'nomad' }],
    ['the only block is of a provider that is not enabled', { blocks: ['nomad'] }],
  ])('where %s: ProviderRequired, naming the enabled ones and what to do', (_what, input) => {
    const { code, message } = refusal(input);
    expect(code).toBe('ProviderRequired');
    expect(message).toContain('docker, ecs, mock');
    expect(message).toContain('spec.computeProvider');
    expect(message).toContain('landlord.dev/compute-provider');
  });

  test.each(places.slice(0, 7))(
    'where %s names one that is not enabled: ProviderNotFound, naming it',
    (where, says) => {
      const { code, message } = refusal(
        together([says('nomad'), { blocks: ['docker'], placedOn: 'docker' }]),
      );
      expect(code).toBe('ProviderNotFound');
      expect(message).toContain(`"nomad" (from ${where})`);
      expect(message).toContain('docker, ecs, mock');
      expect(message).toContain('compute.nomad');
    },
  );

  test('where the name differs in case', () => {
    expect(refusal({ labels: { compute_provider: 'Docker' } }).code).toBe('ProviderNotFound');
  });
});
