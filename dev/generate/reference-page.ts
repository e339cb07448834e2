import type { JsonSchema } from '../../src/api/crd/json-schema.ts';

interface Row {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** A Markdown table of every field below `schema`, path first; `root` is the path of the schema itself. */
export function referenceTable(schema: JsonSchema, root: string): string {
  const lines = rows(schema, root, nothingAround).map(
    ({ path, type, text }) => `| \`${path}\` | ${type} | ${text} |`,
  );
  return ['| Field | Type | Description |', '| --- | --- | --- |', ...lines].join('\n');
}

/** What the schema around a field says of it. */
interface Context {
  readonly required: boolean;
  readonly rules: readonly Rule[];
}

interface Rule {
  readonly message: string;
  /** The field below that it speaks of, with a dot before it. */
  readonly fieldPath?: string;
}

const nothingAround: Context = { required: false, rules: [] };

function rows(schema: JsonSchema, path: string, around: Context): Row[] {
  const rules = rulesOf(schema);
  const ofItself = rules.filter(({ fieldPath }) => fieldPath === undefined);
  const text = textOf(schema, { ...around, rules: [...around.rules, ...ofItself] });
  const own = { path, type: typeOf(schema), text };
  const { items, properties = {}, required: names = [], additionalProperties } = schema;
  const below = Object.entries(properties).flatMap(([name, child]) =>
    rows(child, path === '' ? name : `${path}.${name}`, {
      required: names.includes(name),
      rules: rules.filter(({ fieldPath }) => fieldPath === `.${name}`),
    }),
  );
  const inList =
    items === undefined || isScalar(items) ? [] : rows(items, `${path}[]`, nothingAround).slice(1);
  const values =
    typeof additionalProperties === 'object' && !isScalar(additionalProperties)
      ? additionalProperties
      : undefined;
  const inMap = values === undefined ? [] : rows(values, `${path}.KEY`, nothingAround).slice(1);
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

function rulesOf(schema: JsonSchema): readonly Rule[] {
  const rules = schema['x-kubernetes-validations'];
  return Array.isArray(rules) ? (rules as readonly Rule[]) : [];
}

function textOf(schema: JsonSchema, { required, rules }: Context): string {
  const parts = [
    ...(required && schema.default === undefined ? ['**Required.**'] : []),
    schema.description ?? '',
    // The minimum of a quantity is there for whole numbers only: 500m is less than 1.
    typeOf(schema) === 'quantity' ? '' : boundsOf(schema),
    ...(schema.default === undefined || typeof schema.default === 'object'
      ? []
      : [`Default: \`${JSON.stringify(schema.default)}\`.`]),
    ...rules.map(({ message }) => `Rule: ${message}.`),
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
