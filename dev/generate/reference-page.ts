import type { JsonSchema } from '../../src/api/json-schema.ts';

interface Row {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** A Markdown table of every field below `schema`, path first; `root` is the path of the schema itself. */
export function referenceTable(schema: JsonSchema, root: string): string {
  const lines = rows(schema, root, false).map(
    ({ path, type, text }) => `| \`${path}\` | ${type} | ${text} |`,
  );
  return ['| Field | Type | Description |', '| --- | --- | --- |', ...lines].join('\n');
}

function rows(schema: JsonSchema, path: string, required: boolean): Row[] {
  const own = { path, type: typeOf(schema), text: textOf(schema, required) };
  const { items, properties = {}, required: names = [], additionalProperties } = schema;
  const below = Object.entries(properties).flatMap(([name, child]) =>
    rows(child, path === '' ? name : `${path}.${name}`, names.includes(name)),
  );
  const inList = items === undefined || isScalar(items) ? [] : rows(items, `${path}[]`, false).slice(1);
  const values =
    typeof additionalProperties === 'object' && !isScalar(additionalProperties)
      ? additionalProperties
      : undefined;
  const inMap = values === undefined ? [] : rows(values, `${path}.KEY`, false).slice(1);
  return [...(path === '' ? [] : [own]), ...below, ...inList, ...inMap];
}

function isScalar({ properties, items }: JsonSchema): boolean {
  return properties === undefined && items === undefined;
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'quantity';
  if (schema.enum !== undefined)
    return schema.enum.map((value) => `\`${JSON.stringify(value).replaceAll('"', '')}\``).join(', ');
  if (schema.type === 'array')
    return `list of ${schema.items === undefined ? 'anything' : typeOf(schema.items)}`;
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') return `map to ${typeOf(additionalProperties)}`;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  return schema.format === 'date-time' ? 'time' : (schema.type ?? 'anything');
}

function textOf(schema: JsonSchema, required: boolean): string {
  const rules = schema['x-kubernetes-validations'];
  const messages = Array.isArray(rules)
    ? rules.map(({ message }: { message: string }) => `Rule: ${message}.`)
    : [];
  const parts = [
    ...(required && schema.default === undefined ? ['**Required.**'] : []),
    schema.description ?? '',
    // The minimum of a quantity is there for whole numbers only: 500m is less than 1.
    typeOf(schema) === 'quantity' ? '' : boundsOf(schema),
    ...(schema.default === undefined || typeof schema.default === 'object'
      ? []
      : [`Default: \`${JSON.stringify(schema.default)}\`.`]),
    ...messages,
  ];
  return parts
    .filter(Boolean)
    .join(' ')
    .replaceAll('|', String.raw`\|`)
    .replaceAll('\n', ' ');
}

function boundsOf({ minimum, maximum, maxItems, maxLength }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `From ${minimum} to ${maximum}.`;
  if (minimum !== undefined) return `At least ${minimum}.`;
  if (maxItems !== undefined) return `At most ${maxItems}.`;
  return maxLength === undefined ? '' : `At most ${maxLength} characters.`;
}
