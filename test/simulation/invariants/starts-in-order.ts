import { isUp } from '../models/docker-container.ts';
import type { Container } from '../models/docker-container.ts';
import type { DockerEngine } from '../models/docker-engine.ts';
import { comesFrom, containersOf, settleMs } from '../truth.ts';
import type { Expectation, Wanted } from '../truth.ts';
import type { Invariant } from './invariant.ts';
import { expectations, knownRevisions, wantedBy } from './what-runs.ts';

type Dependency = Wanted['dependsOn'][number];

/** A look, and the call that it leads to. */
const lookAgeMs = 2_000;

export const startsInOrder: Invariant = {
  name: 'startsInOrder',
  promise: 'no container is started for the first time before what it depends on is as it asks for',
  watch: (world, broken) => ({
    onEngineChange(engine, { by, call, container }) {
      if (by === 'person' || call !== 'start' || container?.state !== 'created') return;
      const key = container.tenant;
      const waits = expectations(world, knownRevisions(world, key)).flatMap((expectation) => {
        const wanted = wantedBy(container, expectation);
        // What ran, or was to run, before that revision is brought back by the order of its own time.
        if (wanted === undefined) return [[]];
        const missing = missingOf(engine, key, { wanted, expectation });
        // What was made before there was a release waits for none.
        return [missing.filter((one) => !isRelease(one) || isToldOf(container, one))];
      });
      const [first] = waits;
      if (first?.[0] === undefined || waits.some((missing) => missing.length === 0)) return;
      const [{ container: on, condition = 'Started' }] = first;
      broken(`${by} starts ${container.name} of ${key}, and ${on} is not ${condition}`);
    },
  }),
};

function isRelease({ container }: Dependency): boolean {
  return container.endsWith('.release');
}

function isToldOf({ labels }: Container, { container }: Dependency): boolean {
  const [, told = ''] = Object.entries(labels).find(([key]) => key.endsWith('.depends_on')) ?? [];
  return told.includes(container);
}

function missingOf(
  engine: DockerEngine,
  key: string,
  { wanted, expectation }: { readonly wanted: Wanted; readonly expectation: Expectation },
): readonly Dependency[] {
  return wanted.dependsOn.filter((dependency) => {
    const other = expectation.containers.find(({ name }) => name === dependency.container);
    if (other === undefined) return false;
    const isDone = [...engine.done].some((one) => one.tenant === key && comesFrom(one, other));
    const those = containersOf(engine, key).filter((one) => comesFrom(one, other));
    return !isDone && !those.some((one) => isFulfilled(engine, one, dependency));
  });
}

function isFulfilled(
  engine: DockerEngine,
  container: Container,
  { condition = 'Started' }: Dependency,
): boolean {
  const { startedMs, finishedMs, health } = container;
  if (condition === 'Completed' || startedMs === 0) return false;
  const wasUp = isUp(container) || engine.now() - finishedMs < lookAgeMs;
  if (condition === 'Started') return wasUp;
  const isHealthy = health === undefined ? engine.now() - startedMs >= settleMs - 500 : health === 'healthy';
  return wasUp && isHealthy;
}
