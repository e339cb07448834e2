import { chartDeployment, inside } from './chart-deployment.ts';
import { additionsOf, patchOf, takesAway } from './deploy-sources.ts';
import type { Manifest } from './deploy-sources.ts';
import { isBlock } from './merge-if.ts';
import type { Block } from './merge-if.ts';
import { nameIn, TemplateMarks } from './template-marks.ts';

const namespaces = '(include "landlord.namespaces" $ | fromJsonArray)';
const readsSecrets = '(include "landlord.readsSecrets" $)';

/** When the chart has what a component of kustomize takes away. */
const unlessTaken: Readonly<Record<string, string>> = {
  namespaced: `(not ${namespaces})`,
  'no-secrets': readsSecrets,
  'cluster-id': '(not (include "landlord.clusterId" $))',
  'no-crds': '.Values.crds.enabled',
};

/** When it has what a component adds. */
export const additions: Readonly<Record<string, string>> = {
  namespaced: namespaces,
  'namespace-selectors': '(include "landlord.selectsNamespaces" $)',
  'finalizer-policy': '.Values.finalizerPolicy.enabled',
  monitoring: '.Values.monitoring.podMonitor.enabled',
};

/** The components of kustomize that the chart has, by what they do. */
export const chartComponents = {
  takeAway: Object.keys(unlessTaken),
  add: Object.keys(additions),
  change: ['docker-socket', 'ecs-irsa', 'leader-election'],
} as const;

/** The template of objects of the base, each of which is there unless a component would take it away. */
export function baseTemplate(objects: readonly Manifest[]): string {
  return objects.map((object) => template(object, conditionOf(object))).join('');
}

function conditionOf(object: Manifest): string | undefined {
  const conditions = Object.entries(unlessTaken)
    .filter(([component]) => takesAway(component, object))
    .map(([, condition]) => condition);
  return conditions.length > 1 ? `and ${conditions.join(' ')}` : conditions[0];
}

export function additionTemplate(component: string): string {
  return additionsOf(component)
    .map((object) => template(object, additions[component]))
    .join('');
}

/** The bindings of one namespace with Tenants, for each that the config names. */
export function tenantNamespaceTemplate(bindings: readonly Manifest[]): string {
  const each = bindings.map((object) => template(object, conditionOf(object), '.'));
  return `{{- range ${namespaces} }}\n${each.join('')}{{- end }}\n`;
}

function template(object: Manifest, condition?: string, namespace = '$.Release.Namespace'): string {
  const marks = new TemplateMarks();
  const named = withNames(object, { marks, namespace });
  const text = marks.print(withValues(named, marks));
  const check = object.kind === 'Deployment' ? '{{- include "landlord.check" $ }}\n' : '';
  const document = `${check}---\n${text}`;
  return condition === undefined ? document : `{{- if ${condition} }}\n${document}{{- end }}\n`;
}

const ofCluster = /^(?:Cluster|CustomResource|MutatingAdmission|ValidatingAdmission)/;

interface Names {
  readonly marks: TemplateMarks;
  readonly namespace: string;
}

/** With the names of the release where the manifest has `landlord`, in its namespace, with its labels. */
function withNames(object: Manifest, { marks, namespace }: Names): Manifest {
  const { name, namespace: _, labels, annotations, ...metadata } = object.metadata;
  const named: Record<string, unknown> = {
    ...object,
    metadata: {
      name: nameIn(marks, name),
      ...(ofCluster.test(object.kind) ? {} : { namespace: marks.value(namespace) }),
      labels: {
        'app.kubernetes.io/name': 'landlord',
        ...(labels as Block | undefined),
        ...marks.key((indent) => `include "landlord.labels" $ | nindent ${indent}`),
      },
      ...(annotations === undefined ? {} : { annotations }),
      ...metadata,
    },
  };
  if (isBlock(object['roleRef'])) {
    named['roleRef'] = { ...object['roleRef'], name: nameIn(marks, String(object['roleRef']['name'])) };
    const account = nameIn(marks, 'landlord');
    named['subjects'] = [
      { kind: 'ServiceAccount', name: account, namespace: marks.value('$.Release.Namespace') },
    ];
  }
  if (object.kind.endsWith('AdmissionPolicyBinding')) {
    const spec = object['spec'] as { policyName: string };
    named['spec'] = { ...spec, policyName: nameIn(marks, spec.policyName) };
  }
  return named as Manifest;
}

/** What the chart's values make of it. */
function withValues(object: Manifest, marks: TemplateMarks): Block {
  switch (object.kind) {
    case 'ServiceAccount':
      return serviceAccount(object, marks);
    case 'PodMonitor':
      return podMonitor(object, marks);
    case 'Role':
      return withLeaseName(object, marks);
    case 'Deployment':
      return chartDeployment(object, marks);
    default:
      return object;
  }
}

function serviceAccount(object: Manifest, marks: TemplateMarks): Block {
  const role = 'eks.amazonaws.com/role-arn';
  const { annotations } = patchOf('ecs-irsa', 'ServiceAccount')['metadata'] as { annotations: Block };
  if (JSON.stringify(Object.keys(annotations)) !== JSON.stringify([role])) {
    throw new Error(`deploy/components/ecs-irsa has other annotations than ${role}`);
  }
  const own = {
    ...marks.key('with .Values.ecs.roleArn'),
    [role]: marks.value('. | quote'),
    ...marks.key('end'),
    ...inside(marks, '.Values.serviceAccount.annotations'),
  };
  const metadata = {
    ...object.metadata,
    ...marks.key('if or .Values.ecs.roleArn .Values.serviceAccount.annotations'),
    annotations: own,
    ...marks.key('end'),
  };
  return { ...object, metadata };
}

function podMonitor(object: Manifest, marks: TemplateMarks): Block {
  const labels = {
    ...(object.metadata['labels'] as Block),
    ...inside(marks, '.Values.monitoring.podMonitor.labels'),
  };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** The operator may ask for one Lease by its name, which the config has. */
function withLeaseName(object: Manifest, marks: TemplateMarks): Block {
  const rules = (object['rules'] as readonly Block[]).map((rule) =>
    JSON.stringify(rule['resourceNames']) === '["landlord"]'
      ? { ...rule, resourceNames: [marks.value('include "landlord.leaseName" $ | quote')] }
      : rule,
  );
  return { ...object, rules };
}
