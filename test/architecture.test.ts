import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violations } from './import-rules.ts';
import type { Sources } from './import-rules.ts';

const root = join(import.meta.dirname, '..');

function readSources(): Sources {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => [`src/${file}`, readFileSync(join(root, 'src', file), 'utf8')]),
  );
}

test('every import in src keeps the import table', () => {
  const sources = readSources();
  expect(Object.keys(sources).length).toBeGreaterThan(60);
  expect(violations(sources)).toEqual([]);
});

test('a room is small enough to be known: 16 files, none of 300 lines', () => {
  const sources = Object.entries(readSources());
  const rooms = Map.groupBy(sources, ([file]) => dirname(file));
  const crowded = [...rooms].filter(([, files]) => files.length > 16).map(([room]) => room);
  const long = sources.filter(([, source]) => source.split('\n').length > 300).map(([file]) => file);
  expect([crowded, long]).toEqual([[], []]);
});

describe('the import table is broken by', () => {
  test.each<[what: string, file: string, source: string]>([
    ['api that knows compute', 'src/api/x.ts', "import { a } from '../compute/errors.ts';"],
    [
      'api that knows a provider',
      'src/api/x.ts',
      "import { a } from '../compute/providers/docker/config.ts';",
    ],
    ['api that knows kube', 'src/api/x.ts', "import type { A } from '../kube/resource.ts';"],
    [
      'an observation that acts',
      'src/controller/observe/x.ts',
      'await provider.update(desired, all, signal);',
    ],
    ['kube that knows Tenants', 'src/kube/x.ts', "import { a } from '../api/names.ts';"],
    [
      'observability that knows the config',
      'src/observability/x.ts',
      "import { a } from '../config/duration.ts';",
    ],
    ['compute that knows kube', 'src/compute/x.ts', "import { a } from '../kube/queue/work-queue.ts';"],
    [
      'compute that knows a provider',
      'src/compute/x.ts',
      "import { a } from './providers/mock/definition.ts';",
    ],
    [
      'a registry that loads an implementation',
      'src/compute/registry.ts',
      "import { a } from './providers/mock/provider.ts';",
    ],
    [
      'a provider that knows its sibling',
      'src/compute/providers/ecs/x.ts',
      "import { a } from '../docker/config.ts';",
    ],
    [
      "a provider that knows its sibling's definition",
      'src/compute/providers/ecs/x.ts',
      "import { a } from '../docker/definition.ts';",
    ],
    [
      'a provider that knows the registry',
      'src/compute/providers/ecs/x.ts',
      "import { a } from '../../registry.ts';",
    ],
    [
      'a provider that knows the controller',
      'src/compute/providers/ecs/x.ts',
      "import { a } from '../../../controller/pass.ts';",
    ],
    [
      'a provider that knows kube',
      'src/compute/providers/ecs/x.ts',
      "import { a } from '../../../kube/queue/work-queue.ts';",
    ],
    [
      'a controller that knows a provider',
      'src/controller/x.ts',
      "import { a } from '../compute/providers/mock/provider.ts';",
    ],
    [
      'a controller that knows the registry',
      'src/controller/x.ts',
      "import { a } from '../compute/registry.ts';",
    ],
    [
      'a controller that knows the config',
      'src/controller/x.ts',
      "import { a } from '../config/duration.ts';",
    ],
    ['a controller that knows the operator', 'src/controller/x.ts', "import { a } from '../operator.ts';"],
    ['a config that knows the controller', 'src/config/x.ts', "import { a } from '../controller/pass.ts';"],
    ['a converter that knows an engine', 'src/convert/x.ts', "import { a } from '../import/command.ts';"],
    ['an import that knows the controller', 'src/import/x.ts', "import { a } from '../controller/pass.ts';"],
    ['an operator that knows an import', 'src/operator.ts', "import { a } from './import/command.ts';"],
    ['an operator that knows the command line', 'src/operator.ts', "import { a } from './main.ts';"],
    [
      'a command line that builds a provider',
      'src/main.ts',
      "import { a } from './compute/providers/mock/provider.ts';",
    ],
    ['a folder that the table does not know', 'src/shared/x.ts', "import { a } from '../api/names.ts';"],
    [
      'the AWS SDK outside of ecs',
      'src/compute/providers/docker/x.ts',
      "import { ECSClient } from '@aws-sdk/client-ecs';",
    ],
    [
      'a type of the AWS SDK outside of ecs',
      'src/controller/x.ts',
      "import type { ECSClient } from '@aws-sdk/client-ecs';",
    ],
    ['dockerode outside of docker', 'src/compute/x.ts', "import Dockerode from 'dockerode';"],
    [
      'client-node outside of kube',
      'src/controller/x.ts',
      "import { KubeConfig } from '@kubernetes/client-node';",
    ],
    ['dev in the product', 'src/operator.ts', "import { a } from '../dev/progress.ts';"],
    ['test in the product', 'src/api/x.ts', "import { a } from '../../test/real-parts.ts';"],
    ['a re-export', 'src/api/x.ts', "export { a } from '../compute/errors.ts';"],
    ['a re-export of everything', 'src/api/x.ts', "export * from '../compute/errors.ts';"],
    ['an import for its effect', 'src/api/x.ts', "import '../compute/errors.ts';"],
    ['an import over several lines', 'src/api/x.ts', "import {\n  a,\n  b,\n} from '../compute/errors.ts';"],
    [
      'an import at run time',
      'src/controller/x.ts',
      "const a = await import('../compute/providers/mock/provider.ts');",
    ],
    ['an import of what only a run can tell', 'src/operator.ts', 'const a = await import(name);'],
    ['the environment', 'src/controller/x.ts', "const a = process.env['HOME'];"],
    ['the environment by its other name', 'src/controller/x.ts', 'const { env } = process;'],
    ['the environment by import', 'src/controller/x.ts', "import { env } from 'node:process';"],
  ])('%s', (_what, file, source) => {
    expect(violations({ [file]: source })).toEqual([expect.stringContaining(file)]);
  });

  /** Every pair of rooms of which the first may not know the second. */
  test.each<[layer: string, from: string, to: string]>([
    ['src/kube', 'client', 'cache'],
    ['src/kube', 'client', 'queue'],
    ['src/kube', 'client', 'events'],
    ['src/kube', 'client', 'leader'],
    ['src/kube', 'queue', 'client'],
    ['src/kube', 'queue', 'cache'],
    ['src/kube', 'cache', 'queue'],
    ['src/kube', 'cache', 'events'],
    ['src/kube', 'events', 'cache'],
    ['src/kube', 'events', 'leader'],
    ['src/kube', 'leader', 'events'],
    ['src/kube', 'leader', 'queue'],
    ...['docker', 'ecs', 'mock'].flatMap((provider): [string, string, string][] =>
      [
        ['address', 'state'],
        ['address', 'engine'],
        ['address', 'config.ts'],
        ['state', 'engine'],
        ['state', 'watch'],
        ['state', 'converge'],
        ['state', 'provider.ts'],
        ['engine', 'state'],
        ['engine', 'watch'],
        ['engine', 'converge'],
        ['engine', 'provider.ts'],
        ['watch', 'converge'],
        ['watch', 'provider.ts'],
        ['converge', 'provider.ts'],
        ['config.ts', 'state'],
        ['config.ts', 'provider.ts'],
        ['config', 'state'],
        ['config', 'provider.ts'],
        ['address', 'config'],
      ].map(([from = '', to = '']) => [`src/compute/providers/${provider}`, from, to]),
    ),
    ['src/compute', 'spec', 'selection'],
    ['src/compute', 'spec', 'provider.ts'],
    ['src/compute', 'observation', 'selection'],
    ['src/compute', 'errors.ts', 'spec'],
    ['src/controller', 'status', 'steps'],
    ['src/controller', 'status', 'secrets'],
    ['src/controller', 'secrets', 'steps'],
    ['src/controller', 'secrets', 'status'],
  ])('%s: %s that knows %s', (layer, from, to) => {
    const [file, target] = [from, to].map((room) => (room.endsWith('.ts') ? room : `${room}/x.ts`));
    const up = from.endsWith('.ts') ? './' : '../';
    const source = `import { a } from '${up}${target}';`;
    expect(violations({ [`${layer}/${file}`]: source })).toEqual([expect.stringContaining(`${layer}/`)]);
  });

  test.each<[what: string, file: string, source: string]>([
    ['kube that says Tenant', 'src/kube/cache/x.ts', 'const tenants = new Map();'],
    ['kube that names the product', 'src/kube/client/x.ts', "const agent = 'landlord';"],
    [
      'a state that waits',
      'src/compute/providers/docker/state/x.ts',
      'export function f(signal: AbortSignal): void {}',
    ],
    [
      'a state that knows an SDK, by a type',
      'src/compute/providers/docker/state/x.ts',
      "import type Dockerode from 'dockerode';",
    ],
    [
      'a state that knows the AWS SDK, by a type',
      'src/compute/providers/ecs/state/x.ts',
      "import type { Service } from '@aws-sdk/client-ecs';",
    ],
    ['a state that reads files', 'src/compute/providers/ecs/state/x.ts', "import { a } from 'node:fs';"],
    [
      'an engine that knows a tenant',
      'src/compute/providers/ecs/engine/x.ts',
      'const key = (tenantId: string) => tenantId;',
    ],
    [
      'a watch that removes something',
      'src/compute/providers/docker/watch/x.ts',
      'await engine.removeContainer(id, signal);',
    ],
    [
      'a step that makes its own permit',
      'src/compute/providers/docker/converge/x.ts',
      "const permit = permitUpTo('data-loss');",
    ],
    [
      'a controller that makes a permit beside the gate',
      'src/controller/steps/converge.ts',
      "const permit = permitUpTo('outage');",
    ],
    ['a permit out of nothing', 'src/compute/providers/ecs/provider.ts', 'const permit = {} as Permit;'],
    [
      'a step that removes without consent',
      'src/compute/providers/docker/converge/x.ts',
      'await engine.removeVolume(name, signal);',
    ],
    [
      'a step that deletes a service without consent',
      'src/compute/providers/ecs/converge/x.ts',
      'await api.deleteService(target, signal);',
    ],
    [
      'a state that starts something',
      'src/compute/providers/docker/state/x.ts',
      'void engine.startContainer(id);',
    ],
  ])('%s', (_what, file, source) => {
    expect(violations({ [file]: source })).toEqual([expect.stringContaining(file)]);
  });

  test('a room that the table does not know', () => {
    const source = "import { a } from '../state/x.ts';";
    expect(violations({ 'src/compute/providers/ecs/attic/x.ts': source })).toEqual([
      expect.stringContaining('attic'),
    ]);
  });

  test('a circle of files that import each other, types too', () => {
    const circle = {
      'src/api/a.ts': "import { b } from './b.ts';",
      'src/api/b.ts': "import type { C } from './c.ts';",
      'src/api/c.ts': "import { a } from './a.ts';",
    };
    expect(violations(circle)).toEqual([
      'a cycle: src/api/a.ts → src/api/b.ts → src/api/c.ts → src/api/a.ts',
    ]);
  });
});

describe('the import table allows', () => {
  test.each<[what: string, file: string, source: string]>([
    [
      'the registry its definitions',
      'src/compute/registry.ts',
      "import { a } from './providers/mock/definition.ts';",
    ],
    [
      'a provider its own folder',
      'src/compute/providers/ecs/definition.ts',
      "import { a } from './provider.ts';",
    ],
    ['a provider its own subfolder', 'src/compute/providers/ecs/x.ts', "import { a } from './state/y.ts';"],
    [
      'a provider the contract',
      'src/compute/providers/ecs/x.ts',
      "import type { A } from '../../provider.ts';",
    ],
    ['a provider the API', 'src/compute/providers/ecs/x.ts', "import { a } from '../../../api/rules.ts';"],
    ['ecs its SDK', 'src/compute/providers/ecs/x.ts', "import { ECSClient } from '@aws-sdk/client-ecs';"],
    ['the operator every SDK', 'src/operator.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
    ['the operator all layers', 'src/operator.ts', "import { a } from './controller/pass.ts';"],
    [
      'the controller the contract',
      'src/controller/x.ts',
      "import type { A } from '../compute/provider.ts';",
    ],
    ['config the environment', 'src/config/x.ts', 'export const a = process.env;'],
    [
      'a word in a comment',
      'src/api/x.ts',
      "// process.env is read elsewhere\n/* import { a } from '../kube/x.ts'; */",
    ],
    [
      'Node and other packages',
      'src/api/x.ts',
      "import { z } from 'zod';\nimport { dirname, join } from 'node:path';",
    ],
  ])('%s', (_what, file, source) => {
    expect(violations({ [file]: source })).toEqual([]);
  });
});
