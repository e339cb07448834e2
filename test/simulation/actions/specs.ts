import type { Random } from '../random.ts';

/** Manifests as people write them, and edit them. */

export interface SpecDraft {
  computeProvider?: string;
  tenantId?: string;
  suspend?: boolean;
  mode?: 'Manage' | 'Observe';
  deletionPolicy?: 'Delete' | 'Retain';
  driftPolicy?: 'Correct' | 'Report';
  volumePolicy?: 'Retain' | 'Delete';
  approval?: 'Never' | 'Destructive' | 'Always';
  unhealthyPolicy?: 'Report' | 'Restart';
  replicas?: number;
  containers?: ContainerDraft[];
  release?: { container: string; args: string[]; timeoutSeconds?: number };
  computeConfig?: { docker?: DockerDraft; ecs?: Record<string, unknown>; mock?: Record<string, unknown> };
}

export interface ContainerDraft {
  name: string;
  image: string;
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  ports?: PortDraft[];
  resources?: { memory?: string };
  healthCheck?: { command: string[]; intervalSeconds?: number };
  dependsOn?: { container: string; condition?: 'Started' | 'Healthy' | 'Completed' }[];
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}

export interface PortDraft {
  containerPort: number;
  hostPort?: number;
  edge?: { drainSeconds: number };
}

export interface DockerDraft {
  image?: string;
  env?: Record<string, string>;
  ports?: { container_port: number; host_port?: number }[];
  volumes?: string[];
  restart_policy?: string;
  containers?: Record<string, { network_mode: string }>;
}

const goodImages = ['app', 'app', 'app', 'slow', 'stateful', 'latecrash'] as const;
const badImages = ['crash', 'nocmd', 'missing', 'sick', 'latecrash'] as const;

export function imageName(random: Random, badness: number): string {
  const name = random.chance(badness) ? random.pick(badImages) : random.pick(goodImages.slice(0, 5));
  return `${name}:${random.int(1, 4)}`;
}

/** The host port that a tenant has for itself. */
export function hostPortOf(index: number): number {
  return 18_080 + index;
}

/** A host port, which every other tenant keeps over its rollouts. Not drawn: what else a seed plays stays as it is. */
function portOf(index: number, containerPort: number, hostPort = hostPortOf(index)): PortDraft {
  return { containerPort, hostPort, ...(index % 2 === 0 ? { edge: { drainSeconds: 5 } } : {}) };
}

export function newSpec(
  random: Random,
  index: number,
  { badness, leftOut }: { readonly badness: number; readonly leftOut: ReadonlySet<string> },
): SpecDraft {
  const spec: SpecDraft = { computeProvider: 'docker' };
  if (random.chance(0.15)) spec.deletionPolicy = 'Retain';
  if (random.chance(0.15)) spec.driftPolicy = 'Report';
  if (random.chance(0.2)) spec.volumePolicy = 'Delete';
  if (random.chance(0.15) && !leftOut.has('approval')) spec.approval = random.pick(['Never', 'Always']);
  // Not drawn: what else a seed plays stays as it is.
  if (index % 2 === 1) spec.unhealthyPolicy = 'Restart';
  const docker: DockerDraft = {};
  if (random.chance(0.25)) docker.volumes = ['data:/var/lib/data'];
  if (random.chance(0.2)) docker.restart_policy = random.pick(['always', 'on-failure', 'unless-stopped']);
  if (random.chance(0.5)) {
    const job = !leftOut.has('jobs') && random.chance(0.12);
    Object.assign(docker, { image: job ? 'job:1' : imageName(random, badness), env: { MODE: 'a' } });
    if (job) docker.restart_policy = 'no';
    if (random.chance(0.3))
      docker.ports = [{ container_port: 80, host_port: random.chance(0.5) ? hostPortOf(index) : 0 }];
  } else spec.containers = newContainers(random, index, { badness, leftOut });
  if (Object.keys(docker).length > 0) spec.computeConfig = { docker };
  return spec;
}

function newContainers(
  random: Random,
  index: number,
  { badness, leftOut }: { readonly badness: number; readonly leftOut: ReadonlySet<string> },
): ContainerDraft[] {
  const needsDb = random.chance(0.3);
  const app: ContainerDraft = {
    name: 'app',
    image: needsDb ? 'needsdb:1' : imageName(random, badness),
    env: [{ name: 'MODE', value: 'a' }],
  };
  if (random.chance(0.3))
    app.env?.push({ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } });
  if (random.chance(0.3)) app.ports = [random.chance(0.5) ? portOf(index, 80) : { containerPort: 80 }];
  if (random.chance(0.2)) app.resources = { memory: '64Mi' };
  if (random.chance(0.25)) app.healthCheck = { command: ['/ok'], intervalSeconds: 2 };
  const db: ContainerDraft[] = needsDb || random.chance(0.3) ? [{ name: 'db', image: 'db:1' }] : [];
  const more =
    random.chance(0.015) && !leftOut.has('crowds')
      ? Array.from({ length: random.int(5, 14) }, (_, i) => ({ name: `c${i}`, image: 'app:1' }))
      : [];
  return [app, ...db, ...more];
}

/** Who waits for whom, anew: for a database, and for a migration, which is a job. */
export function putInOrder(spec: SpecDraft, random: Random): void {
  const others = spec.containers?.filter(({ name }) => name !== 'migrate') ?? [];
  const [app] = others;
  if (app === undefined) return;
  const db = others.some(({ name }) => name === 'db');
  const afterDb = (): ContainerDraft['dependsOn'] =>
    db && random.chance(0.7)
      ? [{ container: 'db', condition: random.pick(['Started', 'Healthy', 'Healthy']) }]
      : [];
  app.dependsOn = afterDb() ?? [];
  spec.containers = others;
  if (random.chance(0.4)) return;
  const image = random.chance(0.1) ? 'badjob:1' : `job:${random.int(1, 3)}`;
  const restartPolicy = random.pick(['OnFailure', 'Never'] as const);
  spec.containers.push({ name: 'migrate', image, restartPolicy, dependsOn: afterDb() ?? [] });
  app.dependsOn.push({ container: 'migrate', condition: 'Completed' });
}

/** What is run before the app, anew; what it is called is what it does, see images.ts. */
export function putRelease(spec: SpecDraft, random: Random): void {
  delete spec.release;
  if (random.chance(0.2)) return;
  const does = random.chance(0.15) ? 'badjob' : 'job';
  const container = spec.containers?.[0]?.name ?? 'app';
  spec.release = { container, args: [`${does}:${random.int(1, 3)}`] };
}

/** One more container, in the network namespace of the app. It stays as it is: what becomes of it is the app's doing. */
export function putGuest(spec: SpecDraft, random: Random): void {
  const others = spec.containers?.filter(({ name }) => name !== 'guest') ?? [];
  const [app] = others;
  // Crowds are for themselves.
  if (app === undefined || others.length > 4) return;
  const guest = { name: 'guest', image: 'app:1' };
  // Right behind whose namespace it is in, or after all others.
  spec.containers = random.chance(0.5) ? [app, guest, ...others.slice(1)] : [app, ...others.slice(1), guest];
  dockerOf(spec).containers = { guest: { network_mode: `service:${app.name}` } };
}

/** Another count of replicas, or as many as before, as far as there may be several. */
export function scaleTo(spec: SpecDraft, random: Random): void {
  const { ports = [], volumes = [] } = spec.computeConfig?.docker ?? {};
  const fixed = [
    ...ports.map(({ host_port = 0 }) => host_port),
    ...(spec.containers ?? []).flatMap((one) => (one.ports ?? []).map(({ hostPort = 0 }) => hostPort)),
  ];
  const isAlone = volumes.length > 0 || fixed.some((port) => port !== 0);
  const { replicas } = spec;
  const count = random.chance(0.5) ? replicas : random.pick([undefined, 0, 1, 2, 2, 3]);
  if (count === undefined || (isAlone && count > 1)) delete spec.replicas;
  else spec.replicas = count;
}

/** One and a half of one task is one: ECS could begin no rollout, which it tells nobody. */
export function leaveRoom({ computeConfig, replicas }: SpecDraft): void {
  const ecs = computeConfig?.ecs;
  if ((replicas ?? ecs?.['desired_count']) === 1) delete ecs?.['deployment'];
}

/** One that every provider can serve. */
export function newEcsSpec(random: Random, badness: number): SpecDraft {
  const image = imageName(random, badness);
  const count = random.int(1, 3);
  return {
    computeProvider: 'ecs',
    containers: [{ name: 'app', image, env: [{ name: 'MODE', value: 'a' }] }],
    computeConfig: { ecs: { desired_count: count, ...serviceKeys(count) } },
  };
}

/** How a service is reached and run, in one of four ways. */
function serviceKeys(way: number): Record<string, unknown> {
  const group = (name: string) => ({
    target_group_arn: `arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/${name}/0123456789abcdef`,
    container_name: 'app',
    container_port: 80,
  });
  const ways: readonly Record<string, unknown>[] = [
    {},
    { load_balancers: [group('a')], health_check_grace_period_seconds: 30 },
    { load_balancers: [group('a'), group('b')], enable_execute_command: true, platform_version: '1.4.0' },
    { availability_zone_rebalancing: 'DISABLED', deployment: { maximum_percent: 150 } },
  ];
  return ways[way % ways.length] ?? {};
}

/** One edit of a manifest. */
export const edits = {
  image(spec, random, badness) {
    const app = spec.containers?.[0];
    if (app !== undefined)
      app.image = app.image.startsWith('needsdb')
        ? `needsdb:${random.int(1, 4)}`
        : imageName(random, badness);
    else dockerOf(spec).image = imageName(random, badness);
  },
  env(spec, random) {
    const number = random.int(1, 1_000);
    const value = `${number}`;
    const { ecs } = spec.computeConfig ?? {};
    // Half of the edits are of the service as well.
    if (ecs !== undefined && number % 2 === 0) {
      const { desired_count } = ecs;
      spec.computeConfig = { ...spec.computeConfig, ecs: { desired_count, ...serviceKeys(number / 2) } };
    }
    const app = spec.containers?.[0];
    if (app !== undefined)
      app.env = [...(app.env ?? []).filter(({ name }) => name !== 'MODE'), { name: 'MODE', value }];
    else dockerOf(spec).env = { MODE: value };
  },
  otherEnv(spec, random) {
    const other = spec.containers?.[1];
    if (other !== undefined) other.env = [{ name: 'MODE', value: `${random.int(1, 1_000)}` }];
  },
  port(spec, random, _badness, index) {
    const hostPort = random.chance(0.5) ? hostPortOf(index) : undefined;
    const app = spec.containers?.[0];
    const containerPort = random.pick([80, 8080]);
    if (app !== undefined)
      app.ports = [hostPort === undefined ? { containerPort } : portOf(index, containerPort)];
    else dockerOf(spec).ports = [{ container_port: containerPort, host_port: hostPort ?? 0 }];
  },
  containers(spec, random) {
    if (spec.containers === undefined) return;
    if (spec.containers.some(({ name }) => name === 'side'))
      spec.containers = spec.containers.filter(({ name }) => name !== 'side');
    else
      spec.containers = [
        ...spec.containers,
        { name: 'side', image: random.chance(0.2) ? 'nocmd:1' : 'app:2' },
      ];
  },
  twoPorts(spec, _random, _badness, index) {
    const ports = [hostPortOf(index), hostPortOf(index) + 100];
    const app = spec.containers?.[0];
    if (app !== undefined) app.ports = ports.map((hostPort, i) => portOf(index, 80 + i, hostPort));
    else dockerOf(spec).ports = ports.map((host_port) => ({ container_port: 80, host_port }));
  },
  command(spec) {
    const app = spec.containers?.[0];
    if (app !== undefined) app.command = [];
  },
  volumes(spec, random) {
    const docker = dockerOf(spec);
    const volumes = random.pick([
      ['data:/var/lib/data'],
      ['data:/var/lib/data', 'logs:/var/log'],
      ['logs:/var/log', 'data:/var/lib/data'],
    ]);
    docker.volumes = volumes;
  },
  memory(spec, random) {
    const app = spec.containers?.[0];
    if (app === undefined) return;
    if (random.chance(0.3)) delete app.resources;
    else app.resources = { memory: random.pick(['64Mi', '128Mi', '256Mi']) };
  },
  restartPolicy(spec, random) {
    dockerOf(spec).restart_policy = random.pick(['always', 'on-failure', 'unless-stopped']);
  },
  driftPolicy(spec) {
    spec.driftPolicy = spec.driftPolicy === 'Report' ? 'Correct' : 'Report';
  },
  approval(spec, random) {
    spec.approval = random.pick(['Never', 'Destructive', 'Always']);
  },
  deletionPolicy(spec) {
    spec.deletionPolicy = spec.deletionPolicy === 'Retain' ? 'Delete' : 'Retain';
  },
} satisfies Record<string, (spec: SpecDraft, random: Random, badness: number, index: number) => void>;

export type Edit = keyof typeof edits;

export function dockerOf(spec: SpecDraft): DockerDraft {
  spec.computeConfig ??= {};
  spec.computeConfig.docker ??= {};
  return spec.computeConfig.docker;
}
