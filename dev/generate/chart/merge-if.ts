import type { TemplateMarks } from './template-marks.ts';

export type Block = Readonly<Record<string, unknown>>;

/** A patch of a component, and the expression under which the chart has it. */
export interface Conditional {
  readonly patch: Block;
  readonly condition: string;
}

/**
 * `base` with a strategic merge patch that is there under a condition. Items of lists are the same where their names are;
 * others go before what is there, as kustomize has them.
 */
export function mergedIf(base: Block, { patch, condition }: Conditional, marks: TemplateMarks): Block {
  const added = Object.entries(patch).filter(([key]) => !(key in base));
  const merged = Object.entries(base).map(([key, value]) => [
    key,
    key in patch ? mergedValue(value, patch[key], { condition, marks, key }) : value,
  ]);
  const block = Object.fromEntries(merged) as Block;
  if (added.length === 0) return block;
  const [begin, end] = [marks.key(`if ${condition}`), marks.key('end')];
  return { ...block, ...begin, ...Object.fromEntries(added), ...end };
}

interface Place {
  readonly condition: string;
  readonly marks: TemplateMarks;
  readonly key: string;
}

function mergedValue(base: unknown, patch: unknown, { condition, marks, key }: Place): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) return mergedList(base, patch, { condition, marks, key });
  if (isBlock(base) && isBlock(patch)) return mergedIf(base, { patch, condition }, marks);
  if (JSON.stringify(base) === JSON.stringify(patch)) return base;
  if (isBlock(base) || isBlock(patch)) throw new Error(`${key}: a patch makes another type of it`);
  return marks.value(`ternary ${JSON.stringify(patch)} ${JSON.stringify(base)} (not (not ${condition}))`);
}

function mergedList(base: readonly unknown[], patch: readonly unknown[], place: Place): unknown[] {
  const { condition, marks } = place;
  const isIn = (list: readonly unknown[], item: unknown): boolean =>
    list.some((other) => nameOf(other) !== undefined && nameOf(other) === nameOf(item));
  const added = patch.filter((item) => !isIn(base, item));
  const merged = base.map((item) => {
    const same = patch.find((other) => nameOf(item) !== undefined && nameOf(other) === nameOf(item));
    return same === undefined ? item : mergedValue(item, same, place);
  });
  if (added.length === 0) return merged;
  return [marks.item(`if ${condition}`), ...added, marks.item('end'), ...merged];
}

function nameOf(item: unknown): unknown {
  return isBlock(item) ? item['name'] : undefined;
}

export function isBlock(value: unknown): value is Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
