import { z } from 'zod';

/**
 * `block` with null for each of its keys, at any depth but in lists: the key is unset, whatever the default. For what is
 * laid over defaults; what comes of that has no null.
 */
export function unsettable(block: z.ZodType): z.ZodType {
  if (block instanceof z.ZodObject) {
    const shape = block.shape as Readonly<Record<string, z.ZodType>>;
    const fields = Object.entries(shape).map(([key, field]) => [key, orNull(field)]);
    return block
      .clone({ ...block.def, shape: Object.fromEntries(fields) as typeof shape })
      .meta(metaOf(block));
  }
  if (block instanceof z.ZodRecord) {
    const valueType = orNull(block.def.valueType as z.ZodType);
    return block.clone({ ...block.def, valueType }).meta(metaOf(block));
  }
  return block;
}

function orNull(field: z.ZodType): z.ZodType {
  const isOptional = field instanceof z.ZodOptional;
  const inner = unsettable(isOptional ? (field.unwrap() as z.ZodType) : field).nullable();
  return (isOptional ? inner.optional() : inner).meta(metaOf(field));
}

function metaOf(schema: z.ZodType) {
  return schema.meta() ?? {};
}
