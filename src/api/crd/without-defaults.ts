import { z } from 'zod';

/**
 * `block` with each of its keys optional and without its default, at any depth but in lists: for what is laid over
 * another one, where a key that is left out changes nothing.
 */
export function withoutDefaults(block: z.ZodType): z.ZodType {
  const described = block.meta() ?? {};
  if (block instanceof z.ZodDefault || block instanceof z.ZodPrefault || block instanceof z.ZodOptional) {
    return withoutDefaults(block.unwrap() as z.ZodType).meta(described);
  }
  if (!(block instanceof z.ZodObject)) return block;
  const shape = block.shape as Readonly<Record<string, z.ZodType>>;
  const fields = Object.entries(shape).map(([key, field]) => {
    const bare = withoutDefaults(field);
    return [key, bare.optional().meta(bare.meta() ?? {})];
  });
  return block.clone({ ...block.def, shape: Object.fromEntries(fields) as typeof shape }).meta(described);
}
