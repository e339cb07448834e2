import fc from 'fast-check';
import { tenantCrd } from '../../src/api/crd/crd.ts';
import type { JsonSchema } from '../../src/api/crd/json-schema.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { ecsSharedKeys } from '../../src/compute/providers/ecs/config.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';

/** Specs that the apiserver takes, made from the CRD itself: whatever a new field lets in is made, too. */

const { spec: specNode = {} } =
  tenantCrd(tenantBlocks).spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
const schema = tenantSpecSchema(tenantBlocks);

function valuesOf(node: JsonSchema): fc.Arbitrary<unknown> {
  const values = ofType(node);
  return node.nullable === true ? fc.oneof({ weight: 9, arbitrary: values }, fc.constant(null)) : values;
}

function ofType(node: JsonSchema): fc.Arbitrary<unknown> {
  if (node['x-kubernetes-int-or-string'] === true) return fc.constantFrom(...quantities);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.type === 'string') return texts(node.pattern, node.minLength ?? 0, node.maxLength ?? 0);
  if (node.type === 'integer') {
    return fc.integer({ min: node.minimum ?? 0, max: Math.min(node.maximum ?? 2 ** 31, 2 ** 31) });
  }
  if (node.type === 'number') {
    return fc.double({ min: node.minimum ?? 0, max: node.maximum ?? 2 ** 31, noNaN: true });
  }
  if (node.type === 'boolean') return fc.boolean();
  if (node.type === 'array') return listOf(node);
  return node.additionalProperties === undefined ? objectOf(node) : mapOf(node);
}

const quantities = [
  '1',
  '500m',
  '64Mi',
  '.5',
  `${'9'.repeat(30)}Ei`,
  `${'0'.repeat(30)}1`,
  '1e-400',
  1,
  2 ** 53 - 1,
];

/** Mostly a few of them, now and then as many as there may be. */
function listOf({ items = {}, minItems = 0, maxItems = 0, ...node }: JsonSchema): fc.Arbitrary<unknown> {
  const keys = node['x-kubernetes-list-map-keys'] as readonly string[] | undefined;
  const selector = (item: unknown): unknown =>
    keys === undefined
      ? Symbol('any')
      : JSON.stringify(
          keys.map((key) => (item as Record<string, unknown>)[key] ?? items.properties?.[key]?.default),
        );
  const list = (min: number, max: number): fc.Arbitrary<unknown> =>
    fc.uniqueArray(valuesOf(items), { minLength: min, maxLength: max, selector, size: 'max' });
  const few = list(minItems, Math.min(maxItems, 3));
  return fc.oneof({ weight: 24, arbitrary: few }, list(minItems, Math.min(maxItems, 40)));
}

function mapOf(node: JsonSchema): fc.Arbitrary<unknown> {
  const values = valuesOf(node.additionalProperties as JsonSchema);
  const [{ rule }] = node['x-kubernetes-validations'] as [{ readonly rule: string }];
  const [, length = '1', pattern] = /size\(key\) <= (\d+) && key\.matches\(r'(.*?)'\)/.exec(rule) ?? [];
  const keys = texts(pattern, 1, Number(length));
  const map = (max: number): fc.Arbitrary<unknown> =>
    fc.dictionary(keys, values, { maxKeys: max, size: 'max' });
  const most = node.maxProperties ?? 0;
  return fc.oneof({ weight: 24, arbitrary: map(Math.min(most, 3)) }, map(Math.min(most, 64)));
}

function objectOf({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(
    Object.entries(properties).map(([key, child]) => [key, valuesOf(child)]),
  );
  return fc.record(members, { requiredKeys: [...required] });
}

/** Pieces of texts that are trouble to somebody: terminals, regular expressions, shells, URLs, JSON, C, object keys. */
const pieces = [
  'a',
  'A',
  '0',
  '-',
  '.',
  '_',
  ' ',
  '/',
  ':',
  '@',
  '=',
  '%s',
  '$(id)',
  '`id`',
  '"',
  "'",
  '\\',
  '<',
  ';',
  '\n',
  '\0',
  '\u0007',
  '\u001b[2K',
  '\u009b',
  '\u2028',
  '\u202e',
  '\u200d',
  '\ufeff',
  '☃',
  '🙂',
  'ẞ',
  '\u0301',
  'é',
  'a://',
  'a://a:b@',
  '?',
  '->',
  '1.1.1.1:1',
  '(id : ',
  'sha256:',
  '0'.repeat(64),
  'name ',
  'task ',
  'because no ',
  '__proto__',
  'constructor',
  'aws:',
  'landlord.',
  '[redacted]',
  'network ',
  ' on arn:',
  'pid ',
  'request id: ',
];

/** Texts of the pattern: what suits it of the pieces, and what the pattern itself makes, short and as long as may be. */
function texts(pattern: string | undefined, min: number, max: number): fc.Arbitrary<string> {
  const form = new RegExp(pattern ?? '', 'u');
  const fits = (text: string): boolean => {
    const { length } = text;
    return length >= min && length <= max && form.test(text);
  };
  const composed = fc
    .tuple(
      fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(1, 1, 1, 20_000),
    )
    .map(([some, times]) => some.join('').repeat(times).slice(0, max));
  const suitable = pieces.filter((piece) => fits(piece) && fits(piece.repeat(2).slice(0, max)));
  const made = pattern === undefined ? fc.string({ maxLength: max }) : fc.stringMatching(asciiForm(pattern));
  const fitting = made.map((text) => text.slice(0, max)).filter(fits);
  const stretched = fc.tuple(fitting, fc.nat()).map(([text, at]) => stretch(text, at, { max, fits }));
  // A form that hardly any of the pieces has is left to what the form makes.
  return suitable.length < 5
    ? fc.oneof({ weight: 4, arbitrary: fitting }, stretched)
    : fc.oneof(composed.filter(fits), fitting, stretched);
}

/** Classes of characters that the maker of texts does not know, as far as ASCII goes. */
function asciiForm(pattern: string): RegExp {
  const ascii = pattern
    .replaceAll(String.raw`\P{Cc}`, '[^\\x00-\\x1f\\x7f-\\x9f]')
    .replaceAll(String.raw`\p{Cc}`, '\\x00-\\x1f\\x7f-\\x9f')
    .replaceAll(String.raw`\p{L}\p{Z}\p{N}`, 'a-zA-Z 0-9');
  return new RegExp(ascii);
}

/** The text with one of its characters repeated until it is as long as it may be, where that is still of its form. */
function stretch(
  text: string,
  at: number,
  { max, fits }: { readonly max: number; readonly fits: (text: string) => boolean },
): string {
  const index = text.length === 0 ? 0 : at % text.length;
  const long = `${text.slice(0, index)}${(text[index] ?? '').repeat(Math.max(1, max - text.length + 1))}${text.slice(index + 1)}`;
  return fits(long) ? long : text;
}

/** What rules between fields refuse is taken out, or hardly a spec would be left; and what would take real time. */
function withoutClashes(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutClashes(item, name));
  if (typeof value !== 'object' || value === null) return value;
  const clean = Object.entries(value).map(([key, member]) => [key, withoutClashes(member, key)] as const);
  const members: Record<string, unknown> = { ...Object.fromEntries(clean), ...fittingFigures(value) };
  const { containers } = members;
  if (Array.isArray(containers))
    members['containers'] = inOrder(containers.map((one) => mounting(one as Mounting, members['volumes'])));
  if ('release' in members) members['release'] = releasing(members['release'], containers);
  if ('valueFrom' in members) delete members['value'];
  // An edge keeps a port of the host, by TCP.
  if (members['hostPort'] === undefined || (members['protocol'] ?? 'TCP') !== 'TCP') delete members['edge'];
  if ('timeoutSeconds' in members) members['timeoutSeconds'] = 1;
  if (name === 'load_balancers')
    delete members['listener_rule' in members ? 'advanced_configuration' : 'target_group'];
  if (name === 'listener_rule') members['host_header'] ??= ['a.example'];
  // The mock provider waits for as long as it is told.
  delete members['latency_ms'];
  return Object.hasOwn(oneOf, name) ? withOne(members, oneOf[name] ?? {}) : members;
}

/** Members of which there must be one, with what stands for it where there is none. */
const oneOf: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  healthCheck: {
    command: ['/ok'],
    shell: undefined,
    httpGet: undefined,
    tcpSocket: undefined,
    disable: undefined,
  },
  load_balancers: {
    target_group_arn: 'arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1',
    listener_rule: undefined,
  },
  envFrom: { secretRef: { name: 'db' }, configMapRef: undefined },
  valueFrom: { secretKeyRef: { name: 'db', key: 'password' }, configMapKeyRef: undefined },
  volumes: { persistent: {}, tmpfs: undefined, configMap: undefined, secret: undefined },
};

function withOne(
  members: Readonly<Record<string, unknown>>,
  choices: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(choices);
  const chosen = names.filter((key) => key in members && members[key] !== false);
  const [last = names[0] ?? ''] = chosen.toReversed();
  const rest = Object.entries(members).filter(([key]) => !names.includes(key));
  return { ...Object.fromEntries(rest), [last]: members[last] ?? choices[last] };
}

/** Figures that stand beside each other, and those that engines take no less of. */
function fittingFigures(value: object): Readonly<Record<string, unknown>> {
  const { soft, hard, ...members } = value as Record<string, unknown>;
  const isOver =
    typeof soft === 'number' && typeof hard === 'number' && hard >= 0 && !(soft >= 0 && soft <= hard);
  const sizes = Object.entries(leastSizes).filter(([key, [, fits]]) => key in members && !fits(members[key]));
  return {
    ...(isOver ? { soft: hard } : {}),
    ...Object.fromEntries(sizes.map(([key, [least]]) => [key, least])),
  };
}

const tiny: readonly unknown[] = ['1e-400'];
const small: readonly unknown[] = [...tiny, '1', '500m', '.5', `${'0'.repeat(30)}1`, 1];
const leastSizes: Readonly<Record<string, readonly [least: string, fits: (size: unknown) => boolean]>> = {
  memory: ['6Mi', (size) => !small.includes(size)],
  cpu: ['10m', (size) => !tiny.includes(size)],
  shmSize: ['1', (size) => !tiny.includes(size)],
  size: ['1', (size) => !tiny.includes(size)],
  gpus: ['all', (count) => count === 'all'],
};

/** Of one of the containers, and with something to run. */
function releasing(release: unknown, containers: unknown): unknown {
  const [{ name } = { name: 'app' }] = (containers ?? []) as readonly { readonly name: string }[];
  const { args, command, ...rest } = release as Readonly<Record<string, unknown>>;
  const given = args === undefined && command === undefined ? { args: ['migrate'] } : { args, command };
  const asked = Object.entries({ ...rest, ...given }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(asked), container: name };
}

interface Mounting extends Ordered {
  readonly volumeMounts?: readonly { readonly name: string }[];
}

/** Each mount is one of a volume that there is, as far as there are any. */
function mounting({ volumeMounts, ...container }: Mounting, volumes: unknown): Mounting {
  const names = Array.isArray(volumes) ? volumes.map(({ name }: { readonly name: string }) => name) : [];
  if (volumeMounts === undefined || names.length === 0) return container;
  const mounts = volumeMounts.map((mount, at) => ({ ...mount, name: names[at % names.length] ?? '' }));
  return { ...container, volumeMounts: mounts };
}

interface Ordered {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly essential?: boolean;
  readonly dependsOn?: readonly { readonly condition?: string }[];
}

/** Each container waits for some of those before it alone, the first of which is essential. */
function inOrder(containers: readonly Ordered[]): readonly Ordered[] {
  return containers.map(({ essential = true, ...container }, index) => {
    const { dependsOn } = container;
    const before = dependsOn?.flatMap((dependency, at) => {
      const { name, restartPolicy = 'Always' } = containers[at] ?? {};
      if (name === undefined || at >= index) return [];
      const isService = dependency.condition === 'Completed' && restartPolicy === 'Always';
      return [{ ...dependency, container: name, ...(isService ? { condition: 'Healthy' } : {}) }];
    });
    return {
      ...container,
      essential: index === 0 || essential,
      ...(before === undefined ? {} : { dependsOn: before }),
    };
  });
}

/**
 * Most of them are changed so that a pass may get to its end: not suspended or only observed, with a few replicas, and, on ECS, at
 * the operator's own place.
 */
function toTheEnd(value: unknown, turn: number): object {
  const spec = value as {
    suspend?: unknown;
    mode?: unknown;
    adopt?: unknown;
    replicas?: number;
    computeConfig?: { ecs?: Record<string, unknown> | null };
  };
  if (turn !== 0) {
    delete spec.suspend;
    delete spec.mode;
    delete spec.adopt;
    if (spec.replicas !== undefined) spec.replicas %= 4;
  }
  const block = spec.computeConfig?.ecs;
  if (turn % 2 === 1 && block) for (const key of policyKeys) delete block[key];
  return spec;
}

const policyKeys = ecsSharedKeys.filter((key) => key !== 'tags' && key !== 'drain');

/** A spec as `kubectl apply` would send it, and the name of the provider that it asks for. */
export const specs: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    valuesOf(specNode),
    fc.constantFrom(...providerDefinitions.map(({ name }) => name)),
    fc.nat({ max: 7 }),
  )
  .map(([spec, computeProvider, turn]) =>
    toTheEnd(withoutClashes({ ...(spec as object), computeProvider }), turn),
  )
  .filter((spec) => schema.safeParse(spec).success) as fc.Arbitrary<Record<string, unknown>>;
