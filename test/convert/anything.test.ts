import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { convertEcs } from '../../src/convert/ecs/convert-ecs.ts';
import { converted, schema } from './compose-fixture.ts';

/** What other people's files hold is not known: each is answered, by a Tenant that the schema takes or by a refusal. */

const keys = (
  'command entrypoint user ports volumes environment env_file healthcheck deploy depends_on ' +
  'networks network_mode labels logging ulimits sysctls secrets configs tmpfs extra_hosts dns ' +
  'cap_add devices gpus links restart scale profiles container_name pull_policy security_opt ' +
  'extends volumes_from mem_limit cpus init shm_size stop_grace_period pids_limit hostname runtime ' +
  'ipc platform valueOf'
).split(' ');
const words = [
  'a',
  '80',
  '8080:80',
  './x:/y',
  'always',
  '',
  '$X',
  '${Y:-1',
  'on-failure',
  'service:a',
  '/x',
  'a=b',
];
const inner = [
  'test',
  'resources',
  'limits',
  'devices',
  'source',
  'target',
  'type',
  'condition',
  'soft',
  'driver',
];
const scalar = fc.oneof(
  fc.constantFrom(...words, '1m', '512m', 'x y', '-1', 'all', 'constructor'),
  fc.string({ maxLength: 6 }),
  fc.integer(),
  fc.constant(null),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(...inner, 'a', 'service', 'file', 'options', 'aliases', 'content'),
      tie('value'),
      {
        maxKeys: 3,
      },
    ),
  ),
}));
const service = fc
  .dictionary(fc.constantFrom(...keys), value, { maxKeys: 4 })
  .map((said): object => ({ image: 'reg.example/a:1', ...said }));
const file = fc.record({
  services: fc.dictionary(fc.constantFrom('a', 'b', 'c_d', 'E'), service, { minKeys: 1, maxKeys: 3 }),
  volumes: fc.dictionary(fc.constantFrom('a', 'x'), value, { maxKeys: 1 }),
  networks: fc.dictionary(fc.constantFrom('a', 'x'), value, { maxKeys: 1 }),
});

test('a compose file of any kind', () => {
  let made = 0;
  fc.assert(
    fc.property(file, (content) => {
      const { spec, notes } = converted(stringify(content), { profiles: ['*'] }, schema);
      const isAnswered =
        spec === undefined
          ? notes.some((line) => line.startsWith('refused '))
          : schema.safeParse(spec).success;
      expect(isAnswered).toBe(true);
      made += spec === undefined ? 0 : 1;
    }),
    { numRuns: 200, seed: 7 },
  );
  expect(made).toBeGreaterThan(50);
});

/** An object that is no text and no number. */
const unprintable = { toString: 0, valueOf: null };

test('what ECS never prints', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (any) => {
      const container = { name: 'a', image: 'b', environment: any, portMappings: [any], healthCheck: any };
      const taskDefinition = {
        containerDefinitions: [{ ...container, linuxParameters: any, dependsOn: [any] }, any],
      };
      for (const document of [any, { services: [any], taskDefinition }]) {
        const { manifests, notes } = convertEcs([JSON.stringify(document)], schema);
        expect(manifests.length > 0 || notes.some(({ kind }) => kind === 'refused')).toBe(true);
      }
    }),
    {
      numRuns: 100,
      seed: 7,
      examples: [[unprintable], [[{ name: unprintable, containerName: unprintable }]]],
    },
  );
});

test('a size, a name and a restart that are neither text nor number are told of by where they stand', () => {
  const container = { name: 'a', image: 'b', cpu: unprintable, environment: [{ name: unprintable }] };
  const { notes } = convertEcs([JSON.stringify({ containerDefinitions: [container] })], schema);
  expect(notes.map(({ from }) => from).join(' ')).toContain('cpu');
});
