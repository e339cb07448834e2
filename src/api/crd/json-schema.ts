import { z } from 'zod';

/** An OpenAPI v3 schema as Kubernetes takes it in a CRD. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  pattern?: string;
  format?: string;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  [extension: `x-kubernetes-${string}`]: unknown;
}

/**
 * `schema` as a structural schema. zod writes four things that the apiserver refuses or ignores:
 * `additionalProperties: false` (unknown fields are pruned and refused by the apiserver itself), no properties in so many
 * words, the anyOf of an int-or-string, and bounds of whole numbers that JavaScript can't pass.
 */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  const generated = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      const node = jsonSchema as JsonSchema;
      if (node['x-kubernetes-int-or-string'] === true) delete node.anyOf;
      if (node.additionalProperties === false) delete node.additionalProperties;
      if (Object.keys(node.properties ?? { any: {} }).length === 0) delete node.properties;
      if (node['x-kubernetes-preserve-unknown-fields'] === true) delete node.additionalProperties;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.format === 'date-time') delete node.pattern;
      if (node.nullable === true && node.enum !== undefined) enumToPattern(node);
      if (node.type === 'integer') node.format = 'int64';
    },
  }) as JsonSchema & { $schema?: string };
  delete generated.$schema;
  return generated;
}

/** The apiserver takes no null for an enum, nullable or not, and checks no pattern against null. */
function enumToPattern(node: JsonSchema): void {
  const values = (node.enum ?? []).map((value) => String(value).replaceAll(/[^\w-]/g, String.raw`\$&`));
  node.pattern = `^(${values.join('|')})$`;
  node.maxLength = Math.max(...(node.enum ?? []).map((value) => String(value).length));
  delete node.enum;
}
