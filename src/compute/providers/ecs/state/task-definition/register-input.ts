import { ComputeError } from '../../../../errors.ts';
import { revisionKey } from '../../address/arns.ts';
import { tagKeys, tagList } from '../marks/tags.ts';
import type { Tags } from '../marks/tags.ts';
import { checkLifecycle } from './fields/container-lifecycle.ts';
import { overlayDefinition } from './container-fields.ts';
import { withMounted } from './fields/efs-volumes.ts';
import { checkTmpfs } from './fields/mounted-volumes.ts';
import { checkOverlaid } from './overlaid-containers.ts';
import type { OverlayContainer } from './overlay-container.ts';
import type { ContainerDefinition, TaskDefinition } from './task-definition.ts';
import { runtimePlatform } from './fields/runtime-platform.ts';
import { checkHostPorts } from './task-overlay.ts';
import type { Overlay } from './task-overlay.ts';
import { withPortNames } from './port-names.ts';
import { isForFargate, taskSize } from './task-size.ts';
import { checkServed } from './unserved-fields.ts';

/**
 * The request that registers an overlay's revision over `base`, which is whatever ECS described.
 * Throws InvalidSpec where base and containers don't go together, and PolicyDenied where they may not.
 */
export function registerInput<Base extends TaskDefinition>(overlay: Overlay, base: Base, ownerTags: Tags) {
  checkOverlaid(overlay, base);
  const containerDefinitions = withPortNames(overlay, overlayDefinitions(overlay, base));
  checkSecrets(overlay, base);
  const specs = overlay.containers.map(({ spec }) => spec);
  const isAwsvpc = base.networkMode === 'awsvpc';
  checkHostPorts(specs, isAwsvpc);
  checkLifecycle(specs, containerDefinitions);
  const isFargate = isForFargate(overlay, base);
  const isHostNetwork = base.networkMode === 'host';
  checkServed(specs, { isAwsvpc, isFargate, isHostNetwork });
  checkTmpfs(overlay.containers, { isFargate });
  return {
    ...inherited(base),
    ...runtimePlatform(specs, base),
    ...overlay.roles,
    ...withMounted(
      overlay.containers.flatMap(({ mounts }) => mounts),
      base,
    ),
    family: overlay.family,
    containerDefinitions,
    ...taskSize(overlay, base, containerDefinitions),
    tags: tagList({ ...ownerTags, [tagKeys.overlayHash]: overlay.hash }),
  };
}

/** What a revision passes on to the next; what ECS adds to its answers can't be sent back. */
export const inheritedKeys = [
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'volumes',
  'placementConstraints',
  'requiresCompatibilities',
  'pidMode',
  'ipcMode',
  'proxyConfiguration',
  'inferenceAccelerators',
  'ephemeralStorage',
  'runtimePlatform',
  'enableFaultInjection',
] as const;

type Inherited<Base> = Partial<Pick<Base, (typeof inheritedKeys)[number] & keyof Base>>;

function inherited<Base extends TaskDefinition>(base: Base): Inherited<Base> {
  const members = inheritedKeys.flatMap((key) => {
    const value: unknown = (base as Readonly<Record<string, unknown>>)[key];
    // Some endpoints answer with empty texts and lists for what was never given, and refuse them in a request.
    const isNothing =
      value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
    return isNothing ? [] : [[key, value] as const];
  });
  return Object.fromEntries(members) as Inherited<Base>;
}

function overlayDefinitions({ containers }: Overlay, base: TaskDefinition): ContainerDefinition[] {
  const definitions = base.containerDefinitions ?? [];
  const names = new Set(definitions.map(({ name }) => name));
  const added = containers.filter(({ spec }) => !names.has(spec.name));
  return [
    ...definitions.map((definition) => {
      const over = containers.find(({ spec }) => spec.name === definition.name);
      return over === undefined ? definition : overlayDefinition(over, definition);
    }),
    ...added.map((container) => overlayDefinition(container, addedDefinition(container, definitions[0]))),
  ];
}

/** Its log goes where that of the base's first container goes; nothing else of that is its own. */
function addedDefinition(
  { spec: { name } }: OverlayContainer,
  first: ContainerDefinition | undefined,
): ContainerDefinition {
  const { logConfiguration } = first ?? {};
  return { name, essential: true, ...(logConfiguration === undefined ? {} : { logConfiguration }) };
}

function checkSecrets({ containers, roles }: Overlay, base: TaskDefinition): void {
  const reader = containers.find(({ secrets }) => secrets.length > 0);
  if (reader === undefined || (roles.executionRoleArn ?? base.executionRoleArn ?? '') !== '') return;
  throw new ComputeError(
    'InvalidSpec',
    `spec.containers: container ${reader.spec.name} reads secrets, and the task definition ${revisionKey(base.taskDefinitionArn ?? '')} ` +
      'has no execution role to read them with: name one that has',
  );
}
