import { providerKeys } from '../../api/names.ts';
import { ComputeError } from '../errors.ts';

export interface ChoiceInput {
  readonly computeProvider?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Names of the blocks in spec.computeConfig. */
  readonly blocks: readonly string[];
  /** The provider of status.placement. */
  readonly placedOn?: string | undefined;
  readonly enabled: readonly string[];
}

/** No provider has a longer one; an annotation may have 256 KB. */
const longestName = 63;

/**
 * The provider of a tenant; first hit wins: spec, labels, annotations, the only block of an enabled provider, where it
 * runs already, the only enabled one.
 * Throws ComputeError ProviderRequired or ProviderNotFound, naming the enabled ones.
 */
export function chooseProvider(input: ChoiceInput): string {
  const { enabled } = input;
  const [named, where] = namedProvider(input);
  const list = enabled.join(', ');
  if (named !== undefined) {
    if (enabled.includes(named)) return named;
    const told = named.length > longestName ? `${named.slice(0, longestName)}…` : named;
    throw new ComputeError(
      'ProviderNotFound',
      `provider "${told}" (from ${where}) is not enabled on this operator; enabled: ${list}. ` +
        `Choose one of these, or add compute.${told} to the operator's config`,
    );
  }
  const blocks = input.blocks.filter((block) => enabled.includes(block));
  const [onlyBlock] = blocks;
  if (blocks.length === 1 && onlyBlock !== undefined) return onlyBlock;
  if (input.placedOn !== undefined && enabled.includes(input.placedOn)) return input.placedOn;
  const [onlyEnabled] = enabled;
  if (enabled.length === 1 && onlyEnabled !== undefined) return onlyEnabled;
  throw new ComputeError(
    'ProviderRequired',
    `several providers are enabled (${list}): name one in spec.computeProvider or in the label ${providerKeys[0]}`,
  );
}

function namedProvider(input: ChoiceInput): [name: string | undefined, where: string] {
  if (input.computeProvider !== undefined) return [input.computeProvider, 'spec.computeProvider'];
  for (const [source, values] of [
    ['label', input.labels],
    ['annotation', input.annotations],
  ] as const) {
    for (const key of providerKeys) {
      const value = values?.[key];
      if (value !== undefined && value !== '') return [value, `${source} ${key}`];
    }
  }
  return [undefined, ''];
}
