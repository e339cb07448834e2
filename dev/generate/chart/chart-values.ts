import { Document, isMap, isScalar } from 'yaml';
import { z } from 'zod';
import type { JsonSchema } from '../../../src/api/crd/json-schema.ts';

/** What the chart's values begin with, of the manifests that it is made of. */
export interface ChartDefaults {
  readonly config: string;
  readonly replicas: number;
  readonly resources: Readonly<Record<string, unknown>>;
  /** The group of the Docker socket. */
  readonly socketGroup: number;
}

const texts = z.record(z.string(), z.string()).default({});
const objects = z.array(z.record(z.string(), z.unknown())).default([]);

/** The schema of the chart's values: values.yaml and values.schema.json come of it. */
export function chartValues({ config, replicas, resources, socketGroup }: ChartDefaults) {
  const image = z.strictObject({
    repository: z.string().min(1).default('landlord').describe('Where it is: registry.example/landlord.'),
    tag: z.string().default('').describe("Empty: the chart's appVersion."),
    pullPolicy: z
      .enum(['', 'Always', 'IfNotPresent', 'Never'])
      .default('')
      .describe("Empty: Kubernetes' own default."),
  });
  return z.strictObject({
    image: image.prefault({}).describe("The operator's image."),
    imagePullSecrets: objects.describe('For a registry that asks who it is: [{name: regcred}].'),
    fullnameOverride: z
      .string()
      .default('')
      .describe('The name of everything. Empty: that of the release, with -landlord where it lacks that.'),
    config: z
      .string()
      .default(config)
      .describe(
        "landlord.yaml, the operator's config: providers, policy, namespaces. The rights follow it: to Secrets where a " +
          'provider needs their values, to the namespaces of controller.namespaces and own_namespace alone where there are ' +
          'some, to the labels of namespaces where policy selects by them, to kube-system where there is no cluster_id.',
      ),
    replicas: z
      .int()
      .min(0)
      .default(replicas)
      .describe('From 2 on one leads, and the others take over when it is lost.'),
    docker: z
      .strictObject({
        socket: z
          .strictObject({
            enabled: z
              .boolean()
              .default(false)
              .describe(
                "Whether to use the Docker Engine of the node with the label landlord.dev/docker-engine=true. Label the release's " +
                  'namespace pod-security.kubernetes.io/enforce=privileged, and keep it to admins.',
              ),
            group: z
              .int()
              .min(0)
              .default(socketGroup)
              .describe('The group of the socket on that node: stat -c %g /var/run/docker.sock.'),
          })
          .prefault({})
          .describe('The socket of a node.'),
      })
      .prefault({})
      .describe('For compute.docker of the config.'),
    ecs: z
      .strictObject({
        roleArn: z
          .string()
          .default('')
          .describe('IAM role of the service account (IRSA on EKS). Empty: credentials come from elsewhere.'),
      })
      .prefault({})
      .describe('For compute.ecs of the config.'),
    serviceAccount: z
      .strictObject({ annotations: texts.describe('Annotations of it.') })
      .prefault({})
      .describe('The service account.'),
    crds: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe(
            'Whether the CRD is installed and upgraded with the rest. It stays when the release goes.',
          ),
      })
      .prefault({})
      .describe('The CRD of Tenant.'),
    finalizerPolicy: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe(
            'Whether an admission policy saves one write for each new Tenant. Kubernetes 1.36 and newer.',
          ),
      })
      .prefault({})
      .describe('Not together with controller.tenant_selector.'),
    monitoring: z
      .strictObject({
        podMonitor: z
          .strictObject({
            enabled: z
              .boolean()
              .default(false)
              .describe('Whether there is one. Needs the CRDs of the Prometheus Operator.'),
            labels: texts.describe('Labels by which your Prometheus finds it.'),
          })
          .prefault({})
          .describe('A PodMonitor.'),
      })
      .prefault({})
      .describe('For Prometheus.'),
    resources: z.record(z.string(), z.unknown()).default(resources).describe('Of the container.'),
    nodeSelector: texts.describe('Labels of the nodes that it may run on.'),
    tolerations: objects.describe('Taints of nodes that it tolerates.'),
    priorityClassName: z.string().default('').describe('The priority of its pods.'),
    podAnnotations: texts.describe('Annotations of its pods.'),
    extraEnv: objects.describe('More of the environment: [{name: HTTPS_PROXY, value: …}].'),
    extraVolumes: objects.describe('More volumes: certificates, a hash key.'),
    extraVolumeMounts: objects.describe('Where they are mounted.'),
    global: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Of charts that have this one in them; not used.'),
  });
}

type Values = ReturnType<typeof chartValues>;

export function valuesSchema(values: Values): string {
  return `${JSON.stringify(z.toJSONSchema(values, { target: 'draft-7', io: 'input' }), undefined, 2)}\n`;
}

/** values.yaml: every default, with what it is for above it. */
export function valuesYaml(values: Values): string {
  const schema = z.toJSONSchema(values, { target: 'draft-7', io: 'input' }) as JsonSchema;
  const document = new Document(values.parse({}));
  describe(document.contents, schema);
  const [, ...later] = isMap(document.contents) ? document.contents.items : [];
  for (const { key } of later) if (isScalar(key)) key.spaceBefore = true;
  return document.toString({ lineWidth: 0 });
}

function describe(node: unknown, schema: JsonSchema): void {
  if (!isMap(node)) return;
  for (const pair of node.items) {
    if (!isScalar(pair.key)) continue;
    const child = schema.properties?.[String(pair.key.value)];
    if (child === undefined) continue;
    pair.key.commentBefore = wrapped(child.description ?? '');
    describe(pair.value, child);
  }
}

/** As comments are: a space before each line, none much longer than 100 characters. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length > 100) lines.push(` ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
