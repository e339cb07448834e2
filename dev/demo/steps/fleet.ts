import type { Reason } from '../../../src/api/conditions.ts';
import { endpointOf, httpGet, taskContainersOf, tenantWith } from '../look.ts';
import { readSamples } from '../samples.ts';
import { defineStep } from '../step.ts';
import type { Expectation } from '../step.ts';
import type { Stage } from '../stage.ts';

/** What each sample's own comment promises. */
const outcomes: readonly (readonly [name: string, reason: Reason])[] = [
  ['hello', 'Running'],
  ['shop', 'Running'],
  ['nomad', 'Running'],
  ['mock-slow', 'Running'],
  ['mock-failing', 'Running'],
  ['mock-unhealthy', 'Unhealthy'],
  ['billing', 'Running'],
];

export const everythingComesUp = defineStep({
  title: 'Seven Tenants on Docker, ECS and mock: six become Ready, one is unhealthy, as it was told to be.',
  command: () => 'kubectl apply -f deploy/samples',
  act: async (stage) => {
    for (const manifest of await readSamples({
      registryAddress: stage.registryAddress,
      ecs: stage.ecs.block,
    }))
      await stage.objects.apply(manifest);
  },
  expect: expectOutcomes,
  seen: (_stage, _acted, { url, text, tasks }) =>
    `hello answers "${text}" at ${url}; the tasks of billing are the containers ${tasks.join(' and ')}`,
});

interface Found {
  readonly url: string;
  readonly text: string;
  /** Names of containers. */
  readonly tasks: readonly string[];
}

function expectOutcomes(stage: Stage): Expectation<Found> {
  const missing = (): (readonly [string, Reason])[] =>
    outcomes.filter(([name, reason]) => tenantWith(stage, name, reason) === undefined);
  return {
    get text() {
      const wanted = missing().map(([name, reason]) => `${name} ${reason}`);
      return `${wanted.join(', ') || 'all'}, HTTP at the endpoint of hello, and containers that run billing`;
    },
    get tenant() {
      return missing()[0]?.[0] ?? 'hello';
    },
    look: async () => {
      const hello = stage.fleet.get('hello');
      if (missing().length > 0 || hello === undefined) return undefined;
      const url = endpointOf(hello);
      const tasks = (await taskContainersOf(stage, 'billing')).filter(({ state }) => state === 'running');
      if (tasks.length === 0) return undefined;
      return { url, text: await httpGet(url), tasks: tasks.map(({ name }) => name) };
    },
  };
}
