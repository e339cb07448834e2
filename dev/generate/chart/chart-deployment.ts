import { patchOf } from './deploy-sources.ts';
import type { Manifest } from './deploy-sources.ts';
import { mergedIf } from './merge-if.ts';
import type { Block } from './merge-if.ts';
import { nameIn } from './template-marks.ts';
import type { TemplateMarks } from './template-marks.ts';

interface PodSpec extends Block {
  readonly containers: readonly [Block, ...Block[]];
  readonly volumes: readonly Block[];
  readonly nodeSelector?: Block;
  readonly securityContext: Block;
}

interface DeploymentSpec extends Block {
  readonly template: { readonly metadata: Block; readonly spec: PodSpec };
}

const withSocket = '.Values.docker.socket.enabled';
const replicated = '(gt (int .Values.replicas) 1)';

/** The Deployment of the base, with what the components for the Docker socket and for a second replica change of it. */
export function chartDeployment({ spec, ...object }: Manifest, marks: TemplateMarks): Block {
  const { replicas: _, ...spread } = patchOf('leader-election', 'Deployment')['spec'] as Block;
  const { patch, nodeSelector } = socketPatch(marks);
  const whole = [
    { patch, condition: withSocket },
    { patch: spread, condition: replicated },
  ].reduce((merged, change) => mergedIf(merged, change, marks), spec as Block) as DeploymentSpec;
  const { metadata, spec: pod } = whole.template;
  return {
    ...object,
    spec: {
      ...whole,
      replicas: marks.value('.Values.replicas | int'),
      template: {
        metadata: { ...metadata, ...where(marks, 'annotations', '.Values.podAnnotations') },
        spec: podSpec(pod, nodeSelector, marks),
      },
    },
  };
}

/** What the component for the socket says, with the group of the values; the label of the node apart, for there may be others. */
function socketPatch(marks: TemplateMarks): { readonly patch: Block; readonly nodeSelector: Block } {
  const { template } = patchOf('docker-socket', 'Deployment')['spec'] as DeploymentSpec;
  const { nodeSelector = {}, securityContext, ...pod } = template.spec;
  const supplementalGroups = [marks.value('.Values.docker.socket.group | int64')];
  const spec = { ...pod, securityContext: { ...securityContext, supplementalGroups } };
  return { patch: { template: { ...template, spec } }, nodeSelector };
}

function podSpec(
  { containers, volumes, ...spec }: PodSpec,
  nodeSelector: Block,
  marks: TemplateMarks,
): Block {
  const [container, ...others] = containers;
  return {
    ...spec,
    serviceAccountName: nameIn(marks, 'landlord'),
    ...where(marks, 'imagePullSecrets', '.Values.imagePullSecrets'),
    ...marks.key('with .Values.priorityClassName'),
    priorityClassName: marks.value('. | quote'),
    ...marks.key('end'),
    containers: [operatorContainer(container, marks), ...others],
    volumes: [
      ...volumes.map((volume) => (volume['name'] === 'config' ? configVolume(marks) : volume)),
      ...more(marks, '.Values.extraVolumes'),
    ],
    ...marks.key(`if or ${withSocket} .Values.nodeSelector`),
    nodeSelector: {
      ...marks.key(`if ${withSocket}`),
      ...nodeSelector,
      ...marks.key('end'),
      ...inside(marks, '.Values.nodeSelector'),
    },
    ...marks.key('end'),
    ...where(marks, 'tolerations', '.Values.tolerations'),
  };
}

function configVolume(marks: TemplateMarks): Block {
  return { name: 'config', configMap: { name: marks.value('include "landlord.configName" $') } };
}

function operatorContainer({ volumeMounts, ...container }: Block, marks: TemplateMarks): Block {
  const repository = marks.value('.Values.image.repository');
  return {
    ...container,
    image: `${repository}:${marks.value('.Values.image.tag | default .Chart.AppVersion')}`,
    ...marks.key('with .Values.image.pullPolicy'),
    imagePullPolicy: marks.value('.'),
    ...marks.key('end'),
    ...where(marks, 'env', '.Values.extraEnv'),
    resources: { ...marks.key(marks.yaml('.Values.resources')) },
    volumeMounts: [...(volumeMounts as readonly unknown[]), ...more(marks, '.Values.extraVolumeMounts')],
  };
}

/** A key that is there where `value` is something, and has that. */
function where(marks: TemplateMarks, key: string, value: string): Block {
  return { ...marks.key(`if ${value}`), [key]: { ...marks.key(marks.yaml(value)) }, ...marks.key('end') };
}

/** The keys of `value`, in a map. */
export function inside(marks: TemplateMarks, value: string): Block {
  return { ...marks.key(`with ${value}`), ...marks.key(marks.yaml('.')), ...marks.key('end') };
}

/** The items of `value`, in a list. */
function more(marks: TemplateMarks, value: string): readonly string[] {
  return [marks.item(`with ${value}`), marks.item(marks.yaml('.')), marks.item('end')];
}
