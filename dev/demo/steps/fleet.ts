import type { Reason } from '../../../src/api/conditions.ts';
import { endpointOf, httpGet, tenantWith } from '../look.ts';
import { readSamples } from '../samples.ts';
import { defineStep, type Expectation } from '../step.ts';
import type { Stage } from '../stage.ts';

/** What each sample's own comment promises. */
const outcomes: readonly (readonly [name: string, reason: Reason])[] = [
  ['hello', 'Running'],
  ['shop', 'Running'],
  ['nomad', 'Running'],
  ['mock-slow', 'Running'],
  ['mock-failing', 'Running'],
  ['mock-unhealthy', 'Unhealthy'],
  ['billing', 'ProviderNotFound'],
];

export const everythingComesUp = defineStep({
  title: 'Seven Tenants: five become Ready, one is unhealthy, one wants a provider that is not enabled.',
  command: () => 'kubectl apply -f deploy/samples',
  act: async (stage) => {
    for (const manifest of await readSamples(stage.registryAddress)) await stage.objects.apply(manifest);
  },
  expect: expectOutcomes,
  seen: (_stage, _acted, { url, text }) => `${url} answers "${text}"`,
});

function expectOutcomes(stage: Stage): Expectation<{ url: string; text: string }> {
  const missing = (): (readonly [string, Reason])[] =>
    outcomes.filter(([name, reason]) => tenantWith(stage, name, reason) === undefined);
  return {
    get text() {
      const wanted = missing().map(([name, reason]) => `${name} ${reason}`);
      return `${wanted.join(', ') || 'hello'}, and HTTP at the endpoint of hello`;
    },
    get tenant() {
      return missing()[0]?.[0] ?? 'hello';
    },
    look: async () => {
      const hello = stage.fleet.get('hello');
      if (missing().length > 0 || hello === undefined) return undefined;
      const url = endpointOf(hello);
      return { url, text: await httpGet(url) };
    },
  };
}
