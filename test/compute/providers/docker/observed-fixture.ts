import type { DesiredContainer } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { describeConfinement } from '../../../../src/compute/providers/docker/state/confinement/confinement.ts';
import { readMade } from '../../../../src/compute/providers/docker/state/observed-container.ts';
import type {
  Inspected,
  ObservedContainer,
} from '../../../../src/compute/providers/docker/state/observed-container.ts';
import { settings } from './docker-fixture.ts';

const { ownership } = settings();
export const nowMs = Date.parse('2026-01-01T12:00:00Z');
const confined = describeConfinement({
  capabilities: ['CHOWN'],
  newPrivileges: false,
  boundedLog: true,
  init: false,
});
export const clock = { nowMs, settleMs: 3_000 };

/** A container that has run for an hour; `over` and `inspected` say what is odd about it. Its id is its name. */
export function observedContainer(
  over: Partial<ObservedContainer> & { readonly name: string },
  inspected: Partial<Inspected> = {},
): ObservedContainer {
  return {
    id: over.name,
    state: 'running',
    health: 'none',
    exitCode: undefined,
    young: false,
    image: 'app:1',
    imageId: 'sha256:1',
    labels: {},
    ports: [],
    networkId: undefined,
    networkMode: 'bridge',
    networks: ['bridge'],
    volumes: [],
    inspected: {
      createdMs: nowMs - 3_600_000,
      startedMs: nowMs - 3_600_000,
      finishedMs: 0,
      exitCode: 0,
      oomKilled: false,
      error: '',
      restartCount: 0,
      lastProbe: '',
      image: 'app:1',
      live: { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'unless-stopped' },
      confinement: confined,
      fixedPorts: [],
      writableMounts: [],
      networkMode: 'bridge',
      endpoints: {},
      ...inspected,
    },
    ...over,
    made: readMade(over.labels ?? {}, ownership.key),
  };
}

/** The same, made from this desired state. */
export function asDesired(
  { engineName, labels, live, confinement }: DesiredContainer,
  over: Partial<ObservedContainer> = {},
  inspected: Partial<Inspected> = {},
): ObservedContainer {
  return observedContainer(
    { name: engineName, labels, ...over },
    { live, confinement: describeConfinement(confinement), ...inspected },
  );
}

/** Made from an earlier one, by a version that left the image to the engine. */
export function outdated(
  desired: DesiredContainer,
  over: Partial<ObservedContainer> = {},
  inspected: Partial<Inspected> = {},
): ObservedContainer {
  const { [ownership.key('image')]: _image, ...rest } = desired.labels;
  const labels = { ...rest, [ownership.key('spec_hash')]: 'v1:0' };
  return asDesired(desired, { labels, ...over }, inspected);
}
