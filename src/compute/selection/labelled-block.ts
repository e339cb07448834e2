import type { ProviderDefinition } from '../provider.ts';

type Config = Readonly<Record<string, unknown>>;

/** The block of a tenant that has none. */
const noBlock: Config = {};

/** What was made of a block last: whoever has the same labels has the same object again. */
const labelled = new WeakMap<Config, { readonly said: string; readonly block: Config }>();

/** What labels and annotations say to a tenant's block. */
export interface Labels {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A tenant's block, checked or not, with what its labels, or else its annotations, say of keys that it does not have itself. */
export function labelledBlock(
  { labelled: keys = {} }: Pick<ProviderDefinition, 'labelled'>,
  { labels, annotations }: Labels,
  unchecked: unknown,
): Config {
  const block = isConfig(unchecked) ? unchecked : noBlock;
  const said = Object.entries(keys).flatMap(([key, label]) => {
    const [value] = [labels?.[label], annotations?.[label]].filter(
      (text) => text !== undefined && text !== '',
    );
    return value === undefined || block[key] !== undefined ? [] : [[key, value] as const];
  });
  if (said.length === 0) return block;
  const text = JSON.stringify(said);
  const known = labelled.get(block);
  if (known?.said === text) return known.block;
  const made = { ...block, ...Object.fromEntries(said) };
  labelled.set(block, { said: text, block: made });
  return made;
}

function isConfig(block: unknown): block is Config {
  return typeof block === 'object' && block !== null;
}
