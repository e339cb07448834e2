import { providerDefinitions } from '../../src/compute/registry.ts';
import { oversizedManifests } from '../security/oversized.ts';

/**
 * Tenants that must be taken and Tenants that must be refused, for both judges of a manifest: the zod schemas (in the
 * operator) and the CRD (in the apiserver).
 */

export interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: unknown;
}

export interface GoodManifest {
  readonly what: string;
  readonly manifest: Manifest;
}

export interface BadManifest extends GoodManifest {
  /** What each refusal must mention. */
  readonly field: string;
  /** Why zod takes it all the same. */
  readonly zodIsSilent?: string;
}

export function tenant(spec: unknown, metadata: Readonly<Record<string, unknown>> = {}): Manifest {
  return {
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 'acme', ...metadata },
    spec,
  };
}

const app = { name: 'app', image: 'registry.example/app:1.4' };
const withContainer = (more: object): Manifest => tenant({ containers: [{ ...app, ...more }] });
const withVolumes = (volumes: unknown): Manifest => tenant({ containers: [app], volumes });
const withMounts = (volumeMounts: unknown): Manifest =>
  tenant({ containers: [{ ...app, volumeMounts }], volumes: [{ name: 'data', persistent: {} }] });
const withDocker = (docker: unknown): Manifest => tenant({ computeConfig: { docker } });
const withEcs = (ecs: unknown): Manifest => tenant({ computeConfig: { ecs } });
const withMock = (mock: unknown): Manifest => tenant({ computeConfig: { mock } });

const elb = 'arn:aws:elasticloadbalancing:us-west-2:123456789012';
const targetGroup = `${elb}:targetgroup/a/0123456789abcdef`;
const listenerRule = {
  listener_arn: `${elb}:listener/app/shared/0123456789abcdef/0123456789abcdef`,
  priority: 10,
  host_header: ['shop.example', '*.shop.example'],
  path_pattern: ['/api/*', '/~a/"b"?'],
};
const { host_header: _hosts, path_pattern: _paths, ...bareRule } = listenerRule;
const balanced = (...balancers: readonly object[]): Manifest =>
  withEcs({
    load_balancers: balancers.map((one) => ({ container_name: 'app', container_port: 80, ...one })),
  });
/** Of `load_balancers`, what is refused, and where. */
const badBalancers: readonly (readonly [what: string, balancer: object, field: string])[] = [
  ['neither a target group nor a rule', {}, ''],
  ['a target group and a rule', { target_group_arn: targetGroup, listener_rule: listenerRule }, ''],
  [
    'a target group that is there, and how it is made',
    { target_group_arn: targetGroup, target_group: {} },
    '.target_group',
  ],
  [
    'a rule, and two target groups to shift traffic between',
    {
      listener_rule: listenerRule,
      advanced_configuration: {
        alternate_target_group_arn: targetGroup,
        production_listener_rule: `${elb}:listener-rule/app/a/1/2/3`,
        role_arn: 'arn:aws:iam::123456789012:role/elb',
      },
    },
    '.advanced_configuration',
  ],
  ['a rule that asks for nothing', { listener_rule: bareRule }, '.listener_rule'],
  [
    'a rule with an empty list of hosts',
    { listener_rule: { ...bareRule, host_header: [] } },
    '.listener_rule.host_header',
  ],
  [
    'a host in capitals',
    { listener_rule: { ...bareRule, host_header: ['Shop.example'] } },
    '.listener_rule.host_header[0]',
  ],
  [
    'a listener of a network load balancer',
    { listener_rule: { ...listenerRule, listener_arn: `${elb}:listener/net/a/1/2` } },
    '.listener_rule.listener_arn',
  ],
  [
    'a matcher that is no code',
    { listener_rule: listenerRule, target_group: { health_check: { matcher: 'ok' } } },
    '.target_group.health_check.matcher',
  ],
];

/** The compute_config of docs/providers/ecs.md. */
export const documentedEcsConfig = {
  cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
  task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
  desired_count: 1,
  launch_type: 'FARGATE',
  subnets: ['subnet-123', 'subnet-456'],
  security_groups: ['sg-123'],
  assign_public_ip: true,
  service_name_prefix: 'landlord-tenant-',
};

const designExample = {
  tenantId: 'team-a-acme',
  computeProvider: 'docker',
  computeConfig: {
    docker: { image: 'registry.example/app:1.4', restart_policy: 'unless-stopped' },
    ecs: { desired_count: 2, subnets: ['subnet-123'] },
  },
  containers: [
    {
      name: 'app',
      image: 'registry.example/app:1.4',
      command: [],
      args: [],
      env: [
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'acme-db', key: 'password' } } },
      ],
      ports: [{ name: 'http', containerPort: 8080, hostPort: 18080, protocol: 'TCP' }],
      healthCheck: {
        command: ['/bin/ok'],
        intervalSeconds: 5,
        timeoutSeconds: 3,
        retries: 3,
        startPeriodSeconds: 10,
      },
      resources: { cpu: '500m', memory: '256Mi' },
    },
  ],
  release: { container: 'app', args: ['migrate'], timeoutSeconds: 900 },
  resources: { cpu: '1', memory: '512Mi' },
  imagePullSecrets: [{ name: 'regcred' }],
  imagePullPolicy: 'IfNotPresent',
  suspend: false,
  mode: 'Manage',
  adopt: false,
  deletionPolicy: 'Delete',
  driftPolicy: 'Correct',
  unhealthyPolicy: 'Report',
};

/** One that waits for the others in each of the ways, and says nothing else. */
const lifecycles = [
  {
    ...app,
    dependsOn: [
      { container: 'cache' },
      { container: 'db', condition: 'Healthy' },
      { container: 'migrate', condition: 'Completed' },
    ],
    restartPolicy: 'Always',
    essential: true,
  },
  { ...app, name: 'cache', essential: false },
  { ...app, name: 'db' },
  {
    ...app,
    name: 'migrate',
    restartPolicy: 'OnFailure',
    dependsOn: [{ container: 'db', condition: 'Started' }],
  },
  { ...app, name: 'seed', restartPolicy: 'Never' },
];

/** Every field of spec that has a type of its own; `brokenManifests` breaks each of them. */
export const everyField = {
  ...designExample,
  replicas: 2,
  computeConfig: {
    docker: {
      image: 'nginx:latest',
      env: { LOG_LEVEL: 'info' },
      volumes: [
        'data:/data',
        '/srv/shared:/shared:ro',
        '/srv/TV Shows:/tv:ro',
        '/srv/a:/a:ro,z,rslave',
        'rows:/rows:nocopy',
      ],
      network_mode: 'bridge',
      ports: [{ container_port: 80, host_port: 8080, protocol: 'TCP' }],
      restart_policy: 'on-failure',
      labels: { 'team.example/name': 'a' },
      resources: { cpu: '250m', memory: '64Mi' },
    },
    ecs: {
      ...documentedEcsConfig,
      service_name: 'acme',
      region: 'us-west-2',
      tags: { team: 'a' },
      assume_role: { role_arn: 'arn:aws:iam::123456789012:role/landlord' },
    },
    mock: {
      latency_ms: 1,
      ready_after_ms: 1,
      health: 'healthy',
      desired: 2,
      fail_on: ['update'],
      fail_code: 'Throttled',
      fail_times: 1,
      roll_back: false,
    },
  },
};

const goodQuantities = [
  '500m',
  '1',
  '0.5',
  '.5',
  '5.',
  '2e3',
  '2E-1',
  '1E',
  '256Mi',
  '1Ki',
  '1k',
  '10u',
  '7n',
  2,
  1,
];
const badQuantities = [
  '',
  'none',
  '0',
  '0.0',
  '-1',
  '-500m',
  '+1',
  '1 Gi',
  '1gi',
  '1KiB',
  'Mi',
  '.',
  '0Mi',
  '0e5',
  ' 1',
];
const badQuantityNumbers = [0, -1, 1.5, 0.5];

export const goodManifests: readonly GoodManifest[] = [
  {
    what: 'the example of the design',
    manifest: tenant(designExample, { labels: { 'landlord.dev/compute-provider': 'docker' } }),
  },
  { what: 'the documented compute_config of ECS', manifest: withEcs(documentedEcsConfig) },
  { what: 'the documented docker block, its tenant keys', manifest: withDocker({ image: 'nginx:latest' }) },
  { what: 'every field', manifest: tenant(everyField) },
  { what: 'an empty spec', manifest: tenant({}) },
  ...providerDefinitions.map(({ name, sharedKeys }) => ({
    what: `null for each key of the block ${name}`,
    manifest: tenant({
      computeConfig: { [name]: Object.fromEntries(sharedKeys.map((key) => [key, null])) },
    }),
  })),
  { what: 'null for a default tag', manifest: withEcs({ tags: { team: null, stage: 'dev' } }) },
  { what: 'empty blocks', manifest: tenant({ computeConfig: { docker: {}, ecs: {}, mock: {} } }) },
  { what: 'the smallest container', manifest: withContainer({}) },
  { what: 'an image by digest', manifest: withContainer({ image: `app@sha256:${'a'.repeat(64)}` }) },
  {
    what: 'the longest names',
    manifest: tenant({ tenantId: 'a'.repeat(63), containers: [{ name: 'b'.repeat(63), image: 'i' }] }),
  },
  {
    what: 'a variable with an empty value',
    manifest: withContainer({ env: [{ name: 'EMPTY', value: '' }] }),
  },
  { what: 'a variable without a value', manifest: withContainer({ env: [{ name: 'NONE' }] }) },
  {
    what: 'names of variables with all signs',
    manifest: withContainer({ env: [{ name: '_a.B-9' }, { name: '.x' }] }),
  },
  {
    what: 'the outermost ports',
    manifest: withContainer({ ports: [{ containerPort: 1 }, { containerPort: 65_535, hostPort: 65_535 }] }),
  },
  {
    what: 'ports of the host that are kept over rollouts',
    manifest: withContainer({
      ports: [
        { containerPort: 80, hostPort: 8080, edge: {} },
        { containerPort: 81, hostPort: 8081, protocol: 'TCP', edge: { mode: 'HTTP', drainSeconds: 3600 } },
      ],
    }),
  },
  {
    what: 'one port on two protocols',
    manifest: withContainer({ ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] }),
  },
  {
    what: 'a container with all that its process is given',
    manifest: withContainer({
      workingDir: '/srv',
      user: 'app:app',
      stopSignal: 'SIGRTMIN+3',
      stopGracePeriodSeconds: 0,
      init: true,
      hostname: 'web',
      readOnlyRootFilesystem: true,
      tty: true,
      stdin: true,
      shmSize: '256Mi',
      ulimits: [
        { name: 'nofile', soft: 1024, hard: 2048 },
        { name: 'memlock', soft: -1, hard: -1 },
        { name: 'core', soft: 0, hard: -1 },
      ],
      extraHosts: [
        { hostname: 'db', ip: '10.0.0.1' },
        { hostname: 'host.docker.internal', ip: 'host-gateway' },
        { hostname: 'v6', ip: '2001:db8::1' },
      ],
      dns: ['10.0.0.2', '::1'],
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL', 'KILL'] },
      sysctls: [
        { name: 'net.ipv4.conf.eth0.rp-filter', value: '1' },
        { name: 'kernel.sem', value: '32000 1024000000\t500 32000' },
        { name: 'fs.mqueue.msg_max', value: '64' },
      ],
      platform: 'linux/arm/v7',
    }),
  },
  { what: 'containers that begin and end in all ways', manifest: tenant({ containers: lifecycles }) },
  {
    what: 'a release with an entrypoint of its own',
    manifest: tenant({ containers: [app], release: { container: 'app', command: ['/migrate'] } }),
  },
  {
    what: 'a release of the container of the block',
    manifest: tenant({ release: { container: 'app', args: ['migrate'] } }),
  },
  { what: 'jobs alone', manifest: withContainer({ restartPolicy: 'Never' }) },
  {
    what: 'a health timeout as long as the interval',
    manifest: withContainer({ healthCheck: { command: ['ok'], intervalSeconds: 2, timeoutSeconds: 2 } }),
  },
  {
    what: 'a health timeout as long as the default interval',
    manifest: withContainer({ healthCheck: { command: ['ok'], timeoutSeconds: 10 } }),
  },
  {
    what: 'a health timeout over the interval',
    manifest: withContainer({ healthCheck: { command: ['ok'], intervalSeconds: 5, timeoutSeconds: 60 } }),
  },
  {
    what: 'a health check with the shortest times',
    manifest: withContainer({
      healthCheck: {
        shell: 'curl -f http://localhost/ || exit 1',
        intervalSeconds: 0.001,
        timeoutSeconds: 0.001,
        startPeriodSeconds: 0.5,
        startIntervalSeconds: 0.001,
        retries: 1,
      },
    }),
  },
  {
    what: 'a health check with the longest times',
    manifest: withContainer({
      healthCheck: {
        shell: 'true',
        disable: false,
        intervalSeconds: 86_400,
        timeoutSeconds: 86_400,
        startPeriodSeconds: 86_400,
        startIntervalSeconds: 86_400,
        retries: 2_147_483_647,
      },
    }),
  },
  {
    what: 'a health check over HTTP',
    manifest: withContainer({
      healthCheck: {
        httpGet: {
          port: 65_535,
          path: '/healthz?deep=%20',
          httpHeaders: [
            { name: 'Host', value: 'acme.example' },
            { name: 'X-Probe', value: '' },
          ],
        },
        intervalSeconds: 1,
      },
    }),
  },
  { what: 'a health check over TCP', manifest: withContainer({ healthCheck: { tcpSocket: { port: 1 } } }) },
  { what: 'no health check', manifest: withContainer({ healthCheck: { disable: true } }) },
  {
    what: 'one secret key for two variables',
    manifest: withContainer({
      env: ['A', 'B'].map((name) => ({ name, valueFrom: { secretKeyRef: { name: 's.x', key: 'K_1.y' } } })),
    }),
  },
  {
    what: 'a volume of each kind, mounted where each container says',
    manifest: tenant({
      containers: [
        {
          ...app,
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'data', mountPath: '/data/again', readOnly: true },
            { name: 'data', mountPath: '/rows', subPath: 'db/rows' },
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'settings', mountPath: '/etc/app' },
            { name: 'tls', mountPath: '/etc/tls' },
          ],
        },
      ],
      volumes: [
        { name: 'data', persistent: {} },
        { name: 'tmp', tmpfs: { size: '64Mi' } },
        { name: 'settings', configMap: { name: 'app', defaultMode: 292 } },
        {
          name: 'tls',
          secret: { secretName: 'tls', items: [{ key: 'tls.key', path: '..a/.b/...c', mode: 256 }] },
        },
      ],
    }),
  },
  {
    what: 'the same source of variables twice, in this order',
    manifest: withContainer({
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 's.x', key: 'K_1.y' } } }],
      envFrom: [
        { secretRef: { name: 's' } },
        { configMapRef: { name: 's' } },
        { secretRef: { name: 's' }, prefix: 'A_' },
      ],
    }),
  },
  ...[0, 1, 5000].map((replicas) => ({ what: `${replicas} replicas`, manifest: tenant({ replicas }) })),
  { what: 'no tasks', manifest: withEcs({ desired_count: 0 }) },
  {
    what: 'an ARN of another partition',
    manifest: withEcs({ cluster_arn: 'arn:aws-us-gov:ecs:us-gov-west-1:123456789012:cluster/x' }),
  },
  {
    what: 'a task definition without revision',
    manifest: withEcs({ task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/app' }),
  },
  {
    what: 'a target group by name, and one by the rule that it is for',
    manifest: balanced(
      { target_group_arn: targetGroup },
      {
        listener_rule: listenerRule,
        target_group: {
          protocol: 'HTTPS',
          protocol_version: 'GRPC',
          deregistration_delay: 0,
          health_check: {
            path: '/healthz?deep=1',
            port: 8081,
            matcher: '200-299,301',
            interval: 5,
            timeout: 2,
          },
        },
      },
      { listener_rule: { ...bareRule, path_pattern: ['/*'] } },
    ),
  },
  { what: 'a tag with blanks and signs', manifest: withEcs({ tags: { 'Cost center: a/b': '12 + 3' } }) },
  { what: 'anything for mock', manifest: withMock({ anything: { goes: ['here', 1, true] } }) },
  {
    what: 'joining a network, which policy judges',
    manifest: withDocker({ network_mode: 'container:other_1.a-b' }),
  },
  {
    what: 'a docker port in the words of compose',
    manifest: withDocker({ ports: [{ container_port: 80, host_port: 0, protocol: 'tcp' }] }),
  },
  { what: 'the word no as restart policy', manifest: withDocker({ restart_policy: 'no' }) },
  ...goodQuantities.map((quantity) => ({
    what: `the quantity ${JSON.stringify(quantity)}`,
    manifest: withContainer({ shmSize: quantity }),
  })),
  ...['10m', '0.01', '.01', '1e-2', '500m', '1', 2, '2e3'].map((cpu) => ({
    what: `cpu ${JSON.stringify(cpu)}`,
    manifest: tenant({ resources: { cpu } }),
  })),
  ...['6Mi', 6_291_456, '6291456', '6144Ki', '7M', '1E'].map((memory) => ({
    what: `memory ${JSON.stringify(memory)}`,
    manifest: withContainer({ resources: { memory } }),
  })),
  {
    what: 'null for a default limit',
    manifest: withDocker({ resources: { cpu: null, memory: null } }),
  },
  {
    what: 'ports of different names, and some of none',
    manifest: tenant({
      containers: [
        {
          ...app,
          ports: [{ name: 'http', containerPort: 80 }, { containerPort: 81 }, { containerPort: 82 }],
        },
        { ...app, name: 'db', ports: [{ name: 'sql', containerPort: 80 }, { containerPort: 81 }] },
      ],
    }),
  },
];

const handwritten: readonly BadManifest[] = [
  {
    what: 'no spec',
    manifest: { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' } },
    field: 'spec',
  },
  {
    what: 'a bad name of the Tenant',
    manifest: tenant({}, { name: 'Acme' }),
    field: 'metadata.name',
    zodIsSilent: 'metadata is the API machinery’s: an object with a bad name never exists',
  },

  ...[-1, 5001, 1.5].map((replicas) => ({
    what: `${replicas} replicas`,
    manifest: tenant({ replicas }),
    field: 'spec.replicas',
  })),
  {
    what: 'an unknown provider',
    manifest: tenant({ computeConfig: { podman: {} } }),
    field: 'spec.computeConfig.podman',
  },
  {
    what: 'a misspelt provider',
    manifest: tenant({ computeConfig: { dokcer: { image: 'a' } } }),
    field: 'spec.computeConfig.dokcer',
  },
  {
    what: 'a misspelt provider key',
    manifest: withDocker({ restartPolicy: 'always' }),
    field: 'spec.computeConfig.docker.restartPolicy',
  },
  {
    what: "docker's host, the operator's alone",
    manifest: withDocker({ host: 'tcp://other' }),
    field: 'spec.computeConfig.docker.host',
  },
  {
    what: "docker's label_prefix, the operator's alone",
    manifest: withDocker({ label_prefix: 'x' }),
    field: 'spec.computeConfig.docker.label_prefix',
  },
  {
    what: 'an external id, the operator’s alone',
    manifest: withEcs({ assume_role: { role_arn: 'arn:aws:iam::123456789012:role/a', external_id: 'x1' } }),
    field: 'spec.computeConfig.ecs.assume_role.external_id',
  },
  {
    what: "the ECS endpoint, the operator's alone",
    manifest: withEcs({ endpoint: 'http://x' }),
    field: 'spec.computeConfig.ecs.endpoint',
  },

  {
    what: 'a container that waits for one that there is not',
    manifest: withContainer({ dependsOn: [{ container: 'db' }] }),
    field: 'spec.containers',
  },
  {
    what: 'a container that waits for itself',
    manifest: withContainer({ dependsOn: [{ container: 'app' }] }),
    field: 'spec.containers',
  },
  {
    what: 'a container that waits for one twice',
    manifest: tenant({
      containers: [
        { ...app, dependsOn: [{ container: 'db' }, { container: 'db', condition: 'Healthy' }] },
        { ...app, name: 'db' },
      ],
    }),
    field: 'spec.containers[0].dependsOn[1]',
  },
  ...[{}, { restartPolicy: 'Always' }].map((policy) => ({
    what: `a container that waits for the end of a service ${JSON.stringify(policy)}`,
    manifest: tenant({
      containers: [
        { ...app, dependsOn: [{ container: 'db', condition: 'Completed' }] },
        { ...app, name: 'db', ...policy },
      ],
    }),
    field: 'spec.containers',
  })),
  {
    what: 'nothing that is essential',
    manifest: withContainer({ essential: false }),
    field: 'spec.containers',
  },

  {
    what: 'a release of no container',
    manifest: tenant({ containers: [app], release: { container: 'api', args: ['migrate'] } }),
    field: 'spec.release.container',
  },
  {
    what: 'a release without anything to run',
    manifest: tenant({ containers: [app], release: { container: 'app' } }),
    field: 'spec.release',
  },
  {
    what: 'a release that takes no time',
    manifest: tenant({ containers: [app], release: { container: 'app', args: ['a'], timeoutSeconds: 0 } }),
    field: 'spec.release.timeoutSeconds',
  },

  { what: 'an upper case tenantId', manifest: tenant({ tenantId: 'Acme' }), field: 'spec.tenantId' },
  { what: 'an empty tenantId', manifest: tenant({ tenantId: '' }), field: 'spec.tenantId' },
  {
    what: 'a tenantId of 64 characters',
    manifest: tenant({ tenantId: 'a'.repeat(64) }),
    field: 'spec.tenantId',
  },
  { what: 'a tenantId that ends in a dash', manifest: tenant({ tenantId: 'a-' }), field: 'spec.tenantId' },
  { what: 'a tenantId with a dot', manifest: tenant({ tenantId: 'a.b' }), field: 'spec.tenantId' },
  { what: 'a tenantId with a line break', manifest: tenant({ tenantId: 'a\n' }), field: 'spec.tenantId' },
  {
    what: 'a provider that is no name',
    manifest: tenant({ computeProvider: 'Docker Engine' }),
    field: 'spec.computeProvider',
  },
  { what: 'an empty provider', manifest: tenant({ computeProvider: '' }), field: 'spec.computeProvider' },

  {
    what: 'a container without name',
    manifest: tenant({ containers: [{ image: 'a' }] }),
    field: 'spec.containers[0].name',
  },
  {
    what: 'a container without image',
    manifest: tenant({ containers: [{ name: 'a' }] }),
    field: 'spec.containers[0].image',
  },
  {
    what: 'a bad container name',
    manifest: withContainer({ name: 'my_app' }),
    field: 'spec.containers[0].name',
  },
  {
    what: 'a container name with a slash',
    manifest: withContainer({ name: '../x' }),
    field: 'spec.containers[0].name',
  },
  { what: 'an empty image', manifest: withContainer({ image: '' }), field: 'spec.containers[0].image' },
  {
    what: "an image's id",
    manifest: withContainer({ image: `sha256:${'a'.repeat(64)}` }),
    field: 'spec.containers[0].image',
  },
  {
    what: "the first digits of an image's id",
    manifest: withContainer({ image: '4f06b49211c9' }),
    field: 'spec.containers[0].image',
  },
  {
    what: "an image's id in the docker block",
    manifest: withDocker({ image: 'sha256:4f06b49211c9' }),
    field: 'spec.computeConfig.docker.image',
  },
  {
    what: 'an image with a blank',
    manifest: withContainer({ image: 'a b' }),
    field: 'spec.containers[0].image',
  },
  { what: 'no container at all in the list', manifest: tenant({ containers: [] }), field: 'spec.containers' },
  {
    what: '17 containers',
    manifest: tenant({
      containers: Array.from({ length: 17 }, (_, index) => ({ name: `c${index}`, image: 'a' })),
    }),
    field: 'spec.containers',
  },
  {
    what: 'two containers of one name',
    manifest: tenant({ containers: [app, { ...app, image: 'b' }] }),
    field: 'spec.containers[1]',
  },
  {
    what: 'two variables of one name',
    manifest: withContainer({ env: [{ name: 'A', value: '1' }, { name: 'B' }, { name: 'A', value: '2' }] }),
    field: 'spec.containers[0].env[2]',
  },
  {
    what: 'two ports of one number',
    manifest: withContainer({ ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 81 }] }),
    field: 'spec.containers[0].ports[1]',
  },
  {
    what: 'one port twice, its protocol once by default',
    manifest: withContainer({ ports: [{ containerPort: 80, protocol: 'TCP' }, { containerPort: 80 }] }),
    field: 'spec.containers[0].ports[1]',
  },
  {
    what: 'one pull secret twice',
    manifest: tenant({ imagePullSecrets: [{ name: 'a' }, { name: 'a' }] }),
    field: 'spec.imagePullSecrets[1]',
  },

  {
    what: 'value together with valueFrom',
    manifest: withContainer({
      env: [{ name: 'A', value: '', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    }),
    field: 'spec.containers[0].env[0].value',
  },
  {
    what: 'valueFrom without a source',
    manifest: withContainer({ env: [{ name: 'A', valueFrom: {} }] }),
    field: 'spec.containers[0].env[0].valueFrom',
  },
  {
    what: 'valueFrom with two sources',
    manifest: withContainer({
      env: [
        {
          name: 'A',
          valueFrom: { secretKeyRef: { name: 's', key: 'k' }, configMapKeyRef: { name: 's', key: 'k' } },
        },
      ],
    }),
    field: 'spec.containers[0].env[0].valueFrom',
  },
  {
    what: 'a key of a ConfigMap with a slash',
    manifest: withContainer({
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 's', key: 'a/b' } } }],
    }),
    field: 'spec.containers[0].env[0].valueFrom.configMapKeyRef.key',
  },
  {
    what: 'variables from nowhere',
    manifest: withContainer({ envFrom: [{ prefix: 'A_' }] }),
    field: 'spec.containers[0].envFrom[0]',
  },
  {
    what: 'variables from two sources at once',
    manifest: withContainer({ envFrom: [{ secretRef: { name: 's' }, configMapRef: { name: 's' } }] }),
    field: 'spec.containers[0].envFrom[0]',
  },
  {
    what: 'variables of a prefix that no variable has',
    manifest: withContainer({ envFrom: [{ configMapRef: { name: 's' }, prefix: '1_' }] }),
    field: 'spec.containers[0].envFrom[0].prefix',
  },
  {
    what: 'a mount of a volume that is not there',
    manifest: withContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    field: 'spec.containers',
  },
  {
    what: 'a mount of another volume than is there',
    manifest: withMounts([{ name: 'date', mountPath: '/data' }]),
    field: 'spec.containers',
  },
  {
    what: 'two volumes in one place',
    manifest: withMounts(['data', 'data'].map((name) => ({ name, mountPath: '/data' }))),
    field: 'spec.containers[0].volumeMounts[1]',
  },
  {
    what: 'a place that is none',
    manifest: withMounts([{ name: 'data', mountPath: 'data' }]),
    field: 'spec.containers[0].volumeMounts[0].mountPath',
  },
  {
    what: 'a place with what parts it from a mode',
    manifest: withMounts([{ name: 'data', mountPath: '/data:rw' }]),
    field: 'spec.containers[0].volumeMounts[0].mountPath',
  },
  {
    what: 'two volumes of one name',
    manifest: withVolumes([
      { name: 'data', persistent: {} },
      { name: 'data', tmpfs: { size: '1Mi' } },
    ]),
    field: 'spec.volumes[1]',
  },
  {
    what: 'a volume of nothing',
    manifest: withVolumes([{ name: 'data' }]),
    field: 'spec.volumes[0]',
  },
  {
    what: 'a volume of two things',
    manifest: withVolumes([{ name: 'data', persistent: {}, tmpfs: { size: '1Mi' } }]),
    field: 'spec.volumes[0]',
  },
  {
    what: 'memory without an end',
    manifest: withVolumes([{ name: 'data', tmpfs: {} }]),
    field: 'spec.volumes[0].tmpfs.size',
  },
  ...['../a', 'a/../b', '..', '/a', 'a//b', 'a/', '.'].map((path) => ({
    what: `a file at ${path}`,
    manifest: withVolumes([{ name: 'data', configMap: { name: 'app', items: [{ key: 'a', path }] } }]),
    field: 'spec.volumes[0].configMap.items[0].path',
  })),
  {
    what: 'two files at one path',
    manifest: withVolumes([
      {
        name: 'data',
        secret: {
          secretName: 'tls',
          items: [
            { key: 'a', path: 'a' },
            { key: 'b', path: 'a' },
          ],
        },
      },
    ]),
    field: 'spec.volumes[0].secret.items[1]',
  },
  {
    what: 'a file that is more than read, written and run',
    manifest: withVolumes([{ name: 'data', configMap: { name: 'app', defaultMode: 0o1777 } }]),
    field: 'spec.volumes[0].configMap.defaultMode',
  },
  {
    what: 'a secret of another namespace',
    manifest: withContainer({
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', namespace: 'b' } } }],
    }),
    field: 'spec.containers[0].env[0].valueFrom.secretKeyRef.namespace',
  },
  {
    what: 'a secret name with a path',
    manifest: withContainer({
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: '../s', key: 'k' } } }],
    }),
    field: 'spec.containers[0].env[0].valueFrom.secretKeyRef.name',
  },
  {
    what: 'a secret key with a slash',
    manifest: withContainer({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'a/b' } } }] }),
    field: 'spec.containers[0].env[0].valueFrom.secretKeyRef.key',
  },
  {
    what: 'a variable without name',
    manifest: withContainer({ env: [{ value: 'x' }] }),
    field: 'spec.containers[0].env[0].name',
  },
  {
    what: 'a variable whose name starts with a digit',
    manifest: withContainer({ env: [{ name: '1A' }] }),
    field: 'spec.containers[0].env[0].name',
  },
  {
    what: 'a variable whose name holds =',
    manifest: withContainer({ env: [{ name: 'A=B' }] }),
    field: 'spec.containers[0].env[0].name',
  },
  {
    what: 'a pull secret without name',
    manifest: tenant({ imagePullSecrets: [{}] }),
    field: 'spec.imagePullSecrets[0].name',
  },
  {
    what: 'a pull secret with a bad name',
    manifest: tenant({ imagePullSecrets: [{ name: 'A' }] }),
    field: 'spec.imagePullSecrets[0].name',
  },

  {
    what: 'port 0',
    manifest: withContainer({ ports: [{ containerPort: 0 }] }),
    field: 'spec.containers[0].ports[0].containerPort',
  },
  {
    what: 'port 65536',
    manifest: withContainer({ ports: [{ containerPort: 65_536 }] }),
    field: 'spec.containers[0].ports[0].containerPort',
  },
  {
    what: 'a negative host port',
    manifest: withContainer({ ports: [{ containerPort: 1, hostPort: -1 }] }),
    field: 'spec.containers[0].ports[0].hostPort',
  },
  {
    what: 'half a port',
    manifest: withContainer({ ports: [{ containerPort: 1.5 }] }),
    field: 'spec.containers[0].ports[0].containerPort',
  },
  {
    what: 'a port as text',
    manifest: withContainer({ ports: [{ containerPort: '80' }] }),
    field: 'spec.containers[0].ports[0].containerPort',
  },
  {
    what: 'an edge that keeps no port of the host',
    manifest: withContainer({ ports: [{ containerPort: 80, edge: {} }] }),
    field: 'spec.containers[0].ports[0].edge',
  },
  {
    what: 'an edge for UDP',
    manifest: withContainer({ ports: [{ containerPort: 53, hostPort: 53, protocol: 'UDP', edge: {} }] }),
    field: 'spec.containers[0].ports[0].edge',
  },
  {
    what: 'an edge that drains for no time at all',
    manifest: withContainer({ ports: [{ containerPort: 80, hostPort: 80, edge: { drainSeconds: 2 } }] }),
    field: 'spec.containers[0].ports[0].edge.drainSeconds',
  },
  {
    what: 'a port without number',
    manifest: withContainer({ ports: [{ name: 'http' }] }),
    field: 'spec.containers[0].ports[0].containerPort',
  },
  {
    what: 'a port name of 16 characters',
    manifest: withContainer({ ports: [{ containerPort: 1, name: 'a'.repeat(16) }] }),
    field: 'spec.containers[0].ports[0].name',
  },
  {
    what: 'an unknown protocol',
    manifest: withContainer({ ports: [{ containerPort: 1, protocol: 'tcp' }] }),
    field: 'spec.containers[0].ports[0].protocol',
  },

  {
    what: 'a working directory below another one',
    manifest: withContainer({ workingDir: 'srv' }),
    field: 'spec.containers[0].workingDir',
  },
  {
    what: 'a user with two groups',
    manifest: withContainer({ user: 'a:b:c' }),
    field: 'spec.containers[0].user',
  },
  {
    what: 'a signal that no process knows',
    manifest: withContainer({ stopSignal: 'SIGNOPE' }),
    field: 'spec.containers[0].stopSignal',
  },
  {
    what: 'a capability of the whole',
    manifest: withContainer({ capabilities: { add: ['ALL'] } }),
    field: 'spec.containers[0].capabilities.add[0]',
  },
  {
    what: 'a setting of the whole host',
    manifest: withContainer({ sysctls: [{ name: 'kernel.panic', value: '1' }] }),
    field: 'spec.containers[0].sysctls[0].name',
  },
  {
    what: 'a setting with two values',
    manifest: withContainer({
      sysctls: ['1', '2'].map((value) => ({ name: 'net.core.somaxconn', value })),
    }),
    field: 'spec.containers[0].sysctls[1]',
  },
  {
    what: 'a setting with a line that goes on',
    manifest: withContainer({ sysctls: [{ name: 'net.core.somaxconn', value: '1\n2' }] }),
    field: 'spec.containers[0].sysctls[0].value',
  },
  {
    what: 'a platform without its system',
    manifest: withContainer({ platform: 'amd64' }),
    field: 'spec.containers[0].platform',
  },
  {
    what: 'a negative grace',
    manifest: withContainer({ stopGracePeriodSeconds: -1 }),
    field: 'spec.containers[0].stopGracePeriodSeconds',
  },
  {
    what: 'a grace of more than a day',
    manifest: withContainer({ stopGracePeriodSeconds: 86_401 }),
    field: 'spec.containers[0].stopGracePeriodSeconds',
  },
  {
    what: 'a host name with a blank',
    manifest: withContainer({ hostname: 'a b' }),
    field: 'spec.containers[0].hostname',
  },
  {
    what: 'a host name of 64 characters',
    manifest: withContainer({ hostname: 'a'.repeat(64) }),
    field: 'spec.containers[0].hostname',
  },
  {
    what: 'no size of the shared memory',
    manifest: withContainer({ shmSize: 0 }),
    field: 'spec.containers[0].shmSize',
  },
  {
    what: 'a limit that nobody knows',
    manifest: withContainer({ ulimits: [{ name: 'rtprio', soft: 1, hard: 1 }] }),
    field: 'spec.containers[0].ulimits[0].name',
  },
  {
    what: 'a soft limit over the hard one',
    manifest: withContainer({ ulimits: [{ name: 'nofile', soft: 2, hard: 1 }] }),
    field: 'spec.containers[0].ulimits[0].soft',
  },
  {
    what: 'no soft limit under a hard one',
    manifest: withContainer({ ulimits: [{ name: 'nofile', soft: -1, hard: 1 }] }),
    field: 'spec.containers[0].ulimits[0].soft',
  },
  {
    what: 'a limit twice',
    manifest: withContainer({
      ulimits: [
        { name: 'core', soft: 1, hard: 1 },
        { name: 'core', soft: 2, hard: 2 },
      ],
    }),
    field: 'spec.containers[0].ulimits[1]',
  },
  {
    what: 'a host without an address',
    manifest: withContainer({ extraHosts: [{ hostname: 'db', ip: 'elsewhere' }] }),
    field: 'spec.containers[0].extraHosts[0].ip',
  },
  {
    what: 'a host twice',
    manifest: withContainer({
      extraHosts: [
        { hostname: 'db', ip: '10.0.0.1' },
        { hostname: 'db', ip: '10.0.0.2' },
      ],
    }),
    field: 'spec.containers[0].extraHosts[1]',
  },
  {
    what: 'a DNS server by its name',
    manifest: withContainer({ dns: ['dns.example'] }),
    field: 'spec.containers[0].dns[0]',
  },
  {
    what: 'more DNS servers than are asked',
    manifest: withContainer({ dns: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'] }),
    field: 'spec.containers[0].dns',
  },
  {
    what: 'a health timeout of more than a day',
    manifest: withContainer({ healthCheck: { command: ['ok'], timeoutSeconds: 86_400.5 } }),
    field: 'spec.containers[0].healthCheck.timeoutSeconds',
  },
  {
    what: 'a health timeout of less than a millisecond',
    manifest: withContainer({ healthCheck: { command: ['ok'], timeoutSeconds: 0.0005 } }),
    field: 'spec.containers[0].healthCheck.timeoutSeconds',
  },
  {
    what: 'a health check that checks nothing',
    manifest: withContainer({ healthCheck: {} }),
    field: 'spec.containers[0].healthCheck',
  },
  {
    what: 'a health check that is not switched off, and checks nothing',
    manifest: withContainer({ healthCheck: { disable: false } }),
    field: 'spec.containers[0].healthCheck',
  },
  {
    what: 'a health check in two ways',
    manifest: withContainer({ healthCheck: { command: ['ok'], shell: 'ok' } }),
    field: 'spec.containers[0].healthCheck',
  },
  {
    what: 'a health check that is switched off',
    manifest: withContainer({ healthCheck: { command: ['ok'], disable: true } }),
    field: 'spec.containers[0].healthCheck',
  },
  {
    what: 'a health check over HTTP and over TCP',
    manifest: withContainer({ healthCheck: { httpGet: { port: 80 }, tcpSocket: { port: 80 } } }),
    field: 'spec.containers[0].healthCheck',
  },
  {
    what: 'a health check of port 0',
    manifest: withContainer({ healthCheck: { tcpSocket: { port: 0 } } }),
    field: 'spec.containers[0].healthCheck.tcpSocket.port',
  },
  {
    what: 'a health check by the name of a port',
    manifest: withContainer({ healthCheck: { httpGet: { port: 'http' } } }),
    field: 'spec.containers[0].healthCheck.httpGet.port',
  },
  {
    what: 'a health check with a second line in its path',
    manifest: withContainer({ healthCheck: { httpGet: { port: 80, path: '/ HTTP/1.0\r\nHost: x' } } }),
    field: 'spec.containers[0].healthCheck.httpGet.path',
  },
  {
    what: 'a health check with a second line in a header',
    manifest: withContainer({
      healthCheck: { httpGet: { port: 80, httpHeaders: [{ name: 'A', value: 'b\r\nC: d' }] } },
    }),
    field: 'spec.containers[0].healthCheck.httpGet.httpHeaders[0].value',
  },
  {
    what: 'a health check with a header that no request has',
    manifest: withContainer({
      healthCheck: { httpGet: { port: 80, httpHeaders: [{ name: 'A: b', value: '' }] } },
    }),
    field: 'spec.containers[0].healthCheck.httpGet.httpHeaders[0].name',
  },
  {
    what: 'a health check over TLS',
    manifest: withContainer({ healthCheck: { httpGet: { port: 443, scheme: 'HTTPS' } } }),
    field: 'spec.containers[0].healthCheck.httpGet',
  },
  {
    what: 'a part of a volume that leads out of it',
    manifest: tenant({
      containers: [{ ...app, volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a/../../b' }] }],
      volumes: [{ name: 'data', persistent: {} }],
    }),
    field: 'spec.containers[0].volumeMounts[0].subPath',
  },
  {
    what: 'half a retry',
    manifest: withContainer({ healthCheck: { command: ['ok'], retries: 1.5 } }),
    field: 'spec.containers[0].healthCheck.retries',
  },
  {
    what: 'a health check with an empty command',
    manifest: withContainer({ healthCheck: { command: [] } }),
    field: 'spec.containers[0].healthCheck.command',
  },
  {
    what: 'a health check every 0 seconds',
    manifest: withContainer({ healthCheck: { command: ['ok'], intervalSeconds: 0 } }),
    field: 'spec.containers[0].healthCheck.intervalSeconds',
  },
  {
    what: 'no retries',
    manifest: withContainer({ healthCheck: { command: ['ok'], retries: 0 } }),
    field: 'spec.containers[0].healthCheck.retries',
  },
  {
    what: 'a negative start period',
    manifest: withContainer({ healthCheck: { command: ['ok'], startPeriodSeconds: -1 } }),
    field: 'spec.containers[0].healthCheck.startPeriodSeconds',
  },

  {
    what: 'an unknown policy for pulls',
    manifest: tenant({ imagePullPolicy: 'Never' }),
    field: 'spec.imagePullPolicy',
  },
  {
    what: 'an unknown policy for the unhealthy',
    manifest: tenant({ unhealthyPolicy: 'Kill' }),
    field: 'spec.unhealthyPolicy',
  },
  {
    what: 'an unknown deletion policy',
    manifest: tenant({ deletionPolicy: 'Orphan' }),
    field: 'spec.deletionPolicy',
  },
  {
    what: 'an unknown drift policy',
    manifest: tenant({ driftPolicy: 'correct' }),
    field: 'spec.driftPolicy',
  },
  {
    what: 'an unknown restart policy',
    manifest: withDocker({ restart_policy: 'never' }),
    field: 'spec.computeConfig.docker.restart_policy',
  },
  {
    what: 'a bare no, which YAML reads as false',
    manifest: withDocker({ restart_policy: false }),
    field: 'spec.computeConfig.docker.restart_policy',
  },
  {
    what: 'an unknown launch type',
    manifest: withEcs({ launch_type: 'Fargate' }),
    field: 'spec.computeConfig.ecs.launch_type',
  },
  {
    what: 'an unknown failure of mock',
    manifest: withMock({ fail_on: ['list'] }),
    field: 'spec.computeConfig.mock.fail_on[0]',
  },

  {
    what: 'a docker variable whose name starts with a digit',
    manifest: withDocker({ env: { '1A': 'x' } }),
    field: 'spec.computeConfig.docker.env',
  },
  {
    what: 'a docker variable whose name holds =',
    manifest: withDocker({ env: { GOOD: 'y', 'A=B': 'x' } }),
    field: 'spec.computeConfig.docker.env',
  },
  {
    what: 'a docker variable without name',
    manifest: withDocker({ env: { '': 'x' } }),
    field: 'spec.computeConfig.docker.env',
  },
  {
    what: 'a docker variable whose name is too long',
    manifest: withDocker({ env: { ['A'.repeat(254)]: 'x' } }),
    field: 'spec.computeConfig.docker.env',
  },
  {
    what: '513 docker variables',
    manifest: withDocker({
      env: Object.fromEntries(Array.from({ length: 513 }, (_, index) => [`A${index}`, ''])),
    }),
    field: 'spec.computeConfig.docker.env',
  },
  {
    what: 'a docker variable that is a number',
    manifest: withDocker({ env: { A: 1 } }),
    field: 'spec.computeConfig.docker.env.A',
  },
  {
    what: 'a label key with a blank',
    manifest: withDocker({ labels: { 'a b': 'x' } }),
    field: 'spec.computeConfig.docker.labels',
  },
  {
    what: 'a volume without path',
    manifest: withDocker({ volumes: ['data'] }),
    field: 'spec.computeConfig.docker.volumes[0]',
  },
  {
    what: 'a volume at a relative path',
    manifest: withDocker({ volumes: ['data:data'] }),
    field: 'spec.computeConfig.docker.volumes[0]',
  },
  {
    what: 'a volume with an unknown mode',
    manifest: withDocker({ volumes: ['data:/data:rshared'] }),
    field: 'spec.computeConfig.docker.volumes[0]',
  },
  {
    what: 'an unknown network mode',
    manifest: withDocker({ network_mode: 'my-network' }),
    field: 'spec.computeConfig.docker.network_mode',
  },
  {
    what: 'a docker port out of range',
    manifest: withDocker({ ports: [{ container_port: 70_000 }] }),
    field: 'spec.computeConfig.docker.ports[0].container_port',
  },
  {
    what: 'a docker port below all ports',
    manifest: withDocker({ ports: [{ container_port: 80, host_port: -1 }] }),
    field: 'spec.computeConfig.docker.ports[0].host_port',
  },
  {
    what: 'a docker port of another protocol',
    manifest: withDocker({ ports: [{ container_port: 80, protocol: 'Tcp' }] }),
    field: 'spec.computeConfig.docker.ports[0].protocol',
  },
  {
    what: 'a docker port in camel case',
    manifest: withDocker({ ports: [{ container_port: 80, hostPort: 80 }] }),
    field: 'spec.computeConfig.docker.ports[0].hostPort',
  },

  {
    what: 'a cluster by name',
    manifest: withEcs({ cluster_arn: 'landlord' }),
    field: 'spec.computeConfig.ecs.cluster_arn',
  },
  {
    what: 'a task definition by name',
    manifest: withEcs({ task_definition_arn: 'tenant-app:12' }),
    field: 'spec.computeConfig.ecs.task_definition_arn',
  },
  {
    what: 'a negative count',
    manifest: withEcs({ desired_count: -1 }),
    field: 'spec.computeConfig.ecs.desired_count',
  },
  {
    what: 'a service name with a slash',
    manifest: withEcs({ service_name: 'a/b' }),
    field: 'spec.computeConfig.ecs.service_name',
  },
  {
    what: 'a region that is none',
    manifest: withEcs({ region: 'oregon' }),
    field: 'spec.computeConfig.ecs.region',
  },
  {
    what: 'a subnet that is none',
    manifest: withEcs({ subnets: ['subnet-1', 'vpc-1'] }),
    field: 'spec.computeConfig.ecs.subnets[1]',
  },
  {
    what: 'six security groups',
    manifest: withEcs({ security_groups: ['1', '2', '3', '4', '5', '6'].map((id) => `sg-${id}`) }),
    field: 'spec.computeConfig.ecs.security_groups',
  },
  ...badBalancers.map(([what, balancer, field]) => ({
    what,
    manifest: balanced(balancer),
    field: `spec.computeConfig.ecs.load_balancers[0]${field}`,
  })),
  {
    what: 'a tag without key',
    manifest: withEcs({ tags: { '': 'x' } }),
    field: 'spec.computeConfig.ecs.tags',
  },
  {
    what: 'a role without ARN',
    manifest: withEcs({ assume_role: {} }),
    field: 'spec.computeConfig.ecs.assume_role.role_arn',
  },

  ...['9m', '5m', '0.009', '9999999n', '1e-3'].map((cpu) => ({
    what: `less CPU than engines take: ${cpu}`,
    manifest: tenant({ resources: { cpu } }),
    field: 'spec.resources.cpu',
  })),
  ...['4Mi', '6M', 6_291_455, '1k', '500m'].map((memory) => ({
    what: `less memory than engines take: ${memory}`,
    manifest: withContainer({ resources: { memory } }),
    field: 'spec.containers[0].resources.memory',
  })),
  {
    what: 'less memory than engines take, in the block',
    manifest: withDocker({ resources: { memory: '4Mi' } }),
    field: 'spec.computeConfig.docker.resources.memory',
  },
  {
    what: 'two ports of one name in one container',
    manifest: withContainer({
      ports: [
        { name: 'dns', containerPort: 53 },
        { name: 'dns', containerPort: 53, protocol: 'UDP' },
      ],
    }),
    field: 'spec.containers',
  },
  {
    what: 'two ports of one name in two containers',
    manifest: tenant({
      containers: ['app', 'db'].map((name) => ({
        ...app,
        name,
        ports: [{ name: 'main', containerPort: 80 }],
      })),
    }),
    field: 'spec.containers',
  },
  ...[...badQuantities, ...badQuantityNumbers].flatMap((quantity) => [
    {
      what: `cpu ${JSON.stringify(quantity)}`,
      manifest: tenant({ resources: { cpu: quantity } }),
      field: 'spec.resources.cpu',
    },
    {
      what: `memory ${JSON.stringify(quantity)}`,
      manifest: withContainer({ resources: { memory: quantity } }),
      field: 'spec.containers[0].resources.memory',
    },
    {
      what: `docker memory ${JSON.stringify(quantity)}`,
      manifest: withDocker({ resources: { memory: quantity } }),
      field: 'spec.computeConfig.docker.resources.memory',
    },
  ]),
];

/** `everyField` with each value in turn replaced by one of another type, and with an unknown field in each object. */
function brokenManifests(): BadManifest[] {
  const rows: BadManifest[] = [];
  visit(everyField, 'spec', (broken, what, field) => rows.push({ what, field, manifest: tenant(broken) }));
  return rows;
}

type Report = (broken: unknown, what: string, field: string) => void;

function visit(value: unknown, path: string, report: Report): void {
  report(ofAnotherType(value, path), `${path} of another type`, path);
  if (Array.isArray(value)) {
    const [first, ...others]: unknown[] = value;
    if (first === undefined) return;
    visit(first, `${path}[0]`, (broken, what, field) => report([broken, ...others], what, field));
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    if (!freeFormed.test(path)) {
      report({ ...value, noSuchField: 1 }, `an unknown field in ${path}`, `${path}.noSuchField`);
    }
    for (const [name, member] of members) {
      if (name.includes('.')) continue;
      visit(member, `${path}.${name}`, (broken, what, field) =>
        report({ ...value, [name]: broken }, what, field),
      );
    }
  }
}

/** Maps with keys of the user's own, where no field is unknown. */
const freeFormed = /\.(mock|env|labels|tags)$/;

function ofAnotherType(value: unknown, path: string): unknown {
  if (/\.(cpu|memory)$/.test(path)) return true;
  if (typeof value === 'string') return 17;
  return typeof value === 'object' ? 'text' : { an: 'object' };
}

export const badManifests: readonly BadManifest[] = [
  ...handwritten,
  ...oversizedManifests,
  ...brokenManifests(),
];

/** Refused because of what was there before, which only the apiserver knows. */
export const badChanges = [
  { what: 'a tenantId added later', before: {}, after: { tenantId: 'acme' } },
  { what: 'a tenantId changed', before: { tenantId: 'acme' }, after: { tenantId: 'other' } },
  { what: 'a tenantId dropped', before: { tenantId: 'acme' }, after: { tenantId: null } },
] as const;
