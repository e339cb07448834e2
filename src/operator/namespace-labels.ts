import type { Logger } from 'pino';
import { doneWithin } from '../async/done-within.ts';
import { untilAborted } from '../async/until-aborted.ts';
import { parseLabelSelector } from '../compute/label-selector.ts';
import type { LabelSelector, LabelsOf } from '../compute/label-selector.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { namespacesResource } from '../controller/kube-resources.ts';
import { createReflector } from '../kube/cache/reflector.ts';
import type { ReflectorMetrics } from '../kube/cache/watch-loop.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import type { KubeObject } from '../kube/client/kube-object.ts';
import { resource } from '../kube/client/resource.ts';

export interface NamespaceLabelsOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly metrics: ReflectorMetrics;
}

/** The labels of all namespaces, by a watch of their metadata. What was known holds while the watch is broken. */
export interface NamespaceLabels {
  readonly labelsOf: LabelsOf;
  /** The config, with a policy that knows them. */
  known(config: OperatorConfig): OperatorConfig;
  /** Follows until `signal` aborts, and tells for which namespaces other selectors hold than before. Never rejects. */
  run(onChange: (namespaces: ReadonlySet<string>) => void, signal: AbortSignal): Promise<void>;
  /**
   * Resolves once they are known, can't be had, or `signal` aborts; after a while in any case. Passes before that would
   * tell each Tenant that its policy is not known.
   */
  settled(signal: AbortSignal): Promise<void>;
}

/** A cluster's namespaces are listed well within that. */
const syncMs = 10_000;

/** Undefined: the policy selects none by their labels, and needs no right to see them. */
export function namespaceLabels(
  { policy: { namespaces } }: OperatorConfig,
  options: NamespaceLabelsOptions,
): NamespaceLabels | undefined {
  const selectors = namespaces.map(({ selector }) => selector).filter((selector) => selector !== '');
  if (selectors.length === 0) return undefined;
  return createNamespaceLabels(selectors.map(parseLabelSelector), options);
}

function createNamespaceLabels(
  selectors: readonly LabelSelector[],
  { client, logger, metrics }: NamespaceLabelsOptions,
): NamespaceLabels {
  const selected = ({ metadata: { labels = {} } }: KubeObject): string =>
    selectors.map((selects) => selects(labels)).join();
  const changes = gathered();
  const reflector = createReflector({
    resource: resource(client, { ...namespacesResource, metadataOnly: true }),
    transform: ({ metadata: { name, uid, resourceVersion, creationTimestamp, labels = {} } }) => ({
      metadata: { name, uid, resourceVersion, creationTimestamp, labels },
    }),
    onEvent(event) {
      if (event.type === 'updated' && selected(event.previous) === selected(event.object)) return;
      changes.add(event.object.metadata.name);
    },
    logger,
    metrics,
  });
  const tellRefused = async (signal: AbortSignal): Promise<void> => {
    await Promise.race([reflector.settled, untilAborted(signal)]);
    if (reflector.refusals().length > 0) logger.warn(notGranted);
  };
  const labelsOf: LabelsOf = (namespace) => reflector.get(undefined, namespace)?.metadata.labels;
  return {
    labelsOf,
    known: (config) => ({ ...config, policy: { ...config.policy, labelsOf } }),
    async run(onChange, signal) {
      changes.onChange = onChange;
      await Promise.all([reflector.run(signal), tellRefused(signal)]);
    },
    async settled(signal) {
      await doneWithin(Promise.race([reflector.settled, untilAborted(signal)]), syncMs, { ref: false });
    },
  };
}

const notGranted =
  'policy.namespaces selects namespaces by their labels, which the operator may not watch: until it may, Tenants get ' +
  'nothing where a selector decides. Grant its service account get, list and watch on namespaces ' +
  '(component namespace-selectors in deploy/)';

interface Gathered {
  onChange: (namespaces: ReadonlySet<string>) => void;
  add(name: string): void;
}

/** What one read of the whole state brings is told at once: looking for the Tenants goes over all of them. */
function gathered(): Gathered {
  let names = new Set<string>();
  const all: Gathered = {
    onChange: () => undefined,
    add(name) {
      names.add(name);
      if (names.size > 1) return;
      queueMicrotask(() => {
        const told = names;
        names = new Set();
        all.onChange(told);
      });
    },
  };
  return all;
}
