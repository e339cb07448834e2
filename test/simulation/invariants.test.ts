// First of all: see Math.random there.
import { installVirtualTime } from './virtual-time.ts';
import { describe, expect, it } from 'vitest';
import { approve } from '../../src/api/names.ts';
import { createBench, goodSpec, operator } from './invariants/bench.ts';
import type { Bench } from './invariants/bench.ts';
import * as model from './models/docker-engine.ts';
import { ecsBlock, serviceNameOf } from './models/ecs-client.ts';
import { createRandom } from './random.ts';
import { invariants } from './run.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const placement = { provider: 'docker' };
const running = { compute: { state: 'running', health: 'healthy', running: 1, desired: 1 } } as const;
const settledMs = 20_000;

/** What breaks each promise, done by hand in the operator's place. */
const sabotage: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  async leavesOthersAlone({ engine, run }) {
    model.stop(engine, operator, run({ by: 'person', name: 'copy' }).id);
  },
  async keepsWhatRuns(bench) {
    await readyTenant(bench);
    await bench.pass(90_000);
    model.stop(bench.engine, operator, bench.engine.find('landlord-tenant-team-a-acme-9201d5e7')?.id ?? '');
  },
  async successorFirst(bench) {
    await readyTenant(bench);
    await bench.pass(90_000);
    await bench.edit({ spec: { computeConfig: { docker: { image: 'app:2' } } } });
    await bench.pass(90_000);
    model.stop(bench.engine, operator, bench.engine.find('landlord-tenant-team-a-acme-9201d5e7')?.id ?? '');
  },
  async namesLeadToProven({ engine, pass, run }) {
    model.createNetwork(engine, operator, { Name: 'private' });
    run({ network: 'private', aliases: ['app'] });
    await pass(90_000);
    run({ name: 'landlord-tenant-team-a-acme-9201d5e7_next', network: 'private', aliases: ['app'] });
  },
  async oneServes(bench) {
    await bench.apply();
    bench.run();
    bench.run({ name: 'landlord-tenant-team-a-acme-9201d5e7_old' });
    await bench.pass(1_200_000);
  },
  async keepsData(bench) {
    await bench.apply({ computeProvider: 'docker', computeConfig: { docker: { image: 'stateful:1' } } });
    const container = bench.run({ image: 'stateful:1' });
    await bench.pass(90_000);
    model.remove(bench.engine, operator, container.id);
  },
  async leavesSuspendedAlone(bench) {
    await bench.apply({ ...goodSpec, suspend: true });
    await bench.pass(90_000);
    bench.run();
  },
  async leavesObservedAlone(bench) {
    await bench.apply({ ...goodSpec, mode: 'Observe' });
    await bench.pass(90_000);
    bench.run();
  },
  async leavesReportedAlone(bench) {
    await readyTenant(bench, { ...goodSpec, driftPolicy: 'Report' });
    await bench.pass(240_000);
    const [container] = bench.engine.containers.values();
    model.update(bench.engine, operator, container?.id ?? '', { Memory: 0 });
  },
  async letsPeopleFinish({ engine, run }) {
    const container = run();
    Object.assign(container, { state: 'paused', pausedMs: engine.now() });
    model.unpause(engine, operator, container.id);
  },
  async lossIsTold({ apply, engine, pass, run, say }) {
    const docker = { image: 'app:1', volumes: ['data:/data'] };
    await apply({ computeProvider: 'docker', computeConfig: { docker } });
    const Name = 'landlord-team-a-acme-9201d5e7_data';
    const Labels = { 'landlord.tenant_namespace': 'team-a', 'landlord.tenant_name': 'acme' };
    model.createVolume(engine, operator, { Name, Labels });
    const { id } = run({ binds: [`${Name}:/data:rw`] });
    await say('Ready=True/Running: 1/1', { placement, ...running });
    model.remove(engine, 'person', id);
    await pass(20_000);
    model.removeVolume(engine, 'person', Name);
    model.createVolume(engine, operator, { Name, Labels });
    await say('Ready=True/Running: 1/1', { placement, ...running, data: [`volume ${Name}`] });
    await pass(120_000);
  },
  async jobsRunOnce({ apply, engine, pass, run }) {
    await apply();
    const { id } = run({ image: 'job:1', restartPolicy: 'no' });
    await pass(30_000);
    model.remove(engine, 'person', id);
    await pass(1_000);
    run({ image: 'job:1', restartPolicy: 'no' });
  },
  async releasesRunOnce({ apply, engine, pass, run }) {
    const release = { container: 'app', args: ['job:1'] };
    await apply({ ...goodSpec, release });
    const of = { name: 'landlord-tenant-team-a-acme-9201d5e7.app.release_next', role: 'app.release' };
    const { id } = run({ ...of, image: 'job:1', restartPolicy: 'no' });
    await pass(30_000);
    model.remove(engine, operator, id);
    await pass(1_000);
    run({ ...of, image: 'job:1', restartPolicy: 'no' });
  },
  async startsInOrder({ apply, pass, run }) {
    const name = 'landlord-tenant-team-a-acme-9201d5e7';
    const dependsOn = [{ container: 'db', condition: 'Healthy' }];
    const containers = [
      { name: 'app', image: 'app:1', dependsOn },
      { name: 'db', image: 'db:1' },
    ];
    await apply({ computeProvider: 'docker', containers });
    run({ image: 'db:1', name: `${name}.db`, role: 'db' });
    await pass(2_000);
    run({ name: `${name}.app` });
  },
  async drains({ apply, engine, pass, run }) {
    const name = 'landlord-tenant-team-a-acme-9201d5e7';
    const labels = { 'landlord.drain': '5' };
    await apply();
    const old = run({ labels });
    await pass(90_000);
    const next = run({ name: `${name}_next`, labels });
    await pass(20_000);
    model.rename(engine, operator, old.id, `${name}_old`);
    model.rename(engine, operator, next.id, name);
    await pass(4_000);
    model.stop(engine, operator, old.id);
  },
  async keepsImages({ engine }) {
    engine.images.add('app:1');
    engine.brought.add('app:1');
    model.removeImage(engine, operator, 'app:1');
  },
  async asksOnce(bench) {
    const changes = [{ path: 'containers.app.image', desired: '2', actual: '1', effect: 'replace' as const }];
    const plan = { digest: '0123456789abcdef', target: '0123', effect: 'replace' as const, changes };
    await bench.apply();
    await bench.say('Ready=False/ApprovalRequired: waits', { plan });
    await bench.edit({ metadata: { annotations: { [approve]: plan.digest } } });
    await bench.say('Ready=False/ApprovalRequired: waits', { plan: { ...plan, digest: 'fedcba9876543210' } });
  },
  async readyIsTrue(bench) {
    await bench.apply();
    await bench.say('Ready=True/Running: 1/1');
  },
  async readyIsKept(bench) {
    await readyTenant(bench);
    await bench.pass(180_000);
    for (const container of bench.engine.containers.values())
      model.stop(bench.engine, 'person', container.id);
    await bench.pass(300_000);
  },
  async contactIsEvidence(bench) {
    await readyTenant(bench);
    await bench.pass(90_000);
    model.goDown(bench.engine);
    await bench.pass(120_000);
  },
  async generationIsTold(bench) {
    await readyTenant(bench);
    await bench.edit({ spec: { suspend: false } });
    await bench.pass(600_000);
  },
  async rejectedForItsOwnFault(bench) {
    await bench.apply();
    const rejected = { specHash: 'v1:0', reason: 'RolledBack', message: 'no' } as const;
    await bench.say('Ready=False/RolledBack: no', { placement, rejected });
  },
  async silenceSaysNothing(bench) {
    await readyTenant(bench);
    await bench.say('Ready=False/Throttled: slow down', { placement });
  },
  async illnessIsSeen(bench) {
    await readyTenant(bench);
    await bench.pass(60_000);
    await bench.say('Ready=False/Unhealthy: who knows', { placement });
  },
  async finalizerLast(bench) {
    await bench.apply();
    await bench.addFinalizer();
    bench.run();
    await bench.remove();
    await bench.takeFinalizer();
  },
  async goneIsGone({ apply, tell }) {
    await apply();
    await tell('Destroyed', 'nothing of it is left');
    await tell('Destroyed', 'nothing of it is left');
  },
  async provisionedOnce({ apply, tell }) {
    await apply();
    await tell('Provisioned', 'runs on docker');
    await tell('Provisioned', 'runs on docker again');
  },
  async servesOnIsTrue(bench) {
    await bench.apply();
    await bench.say('Ready=False/RolledBack: what ran before serves on', { placement });
  },
  async keepsSecrets({ apply, say, world }) {
    putSecret(world, 'hush-1-hush');
    await apply();
    await say('Ready=False/UpdateFailed: hush-1-hush is wrong');
  },
  async noInternalErrors({ world }) {
    world.onLog({
      level: 'error',
      by: operator,
      fields: { err: new TypeError('undefined') },
      message: 'failed',
    });
  },
  async orphansHaveNoTenant({ apply, pass, world }) {
    await apply();
    await pass(60_000);
    const fields = { resource: 'container', tenant: 'team-a/acme' };
    world.onLog({ level: 'warn', by: operator, fields, message: 'orphan: there is no such Tenant' });
  },
  async changesLittle({ engine, run }) {
    for (let round = 0; round < 20; round += 1) {
      const { id } = run({ name: `again` });
      engine.containers.delete(id);
    }
  },
  async writesLittle({ apply, say }) {
    await apply();
    for (let round = 0; round < 70; round += 1) await say(`Ready=False/Provisioning: ${round} %`);
  },
  async passesLittle({ world }) {
    for (let round = 0; round < 200; round += 1) world.onPass('team-a/acme', operator);
  },
  async asksLittle({ world }) {
    for (let round = 0; round < 2_000; round += 1) world.engineNetwork.onCall('listContainers', operator);
  },
  async quietCostsNothing({ apply, say }) {
    await apply();
    await say('Ready=False/Provisioning: for no reason');
  },
  async whatCanRunRuns({ apply }) {
    await apply();
  },
  async whatJoinsIsInside({ apply, engine, pass, run }) {
    const containers = [
      { name: 'app', image: 'app:1' },
      { name: 'side', image: 'app:1' },
    ];
    const docker = { containers: { side: { network_mode: 'service:app' } } };
    await apply({ computeProvider: 'docker', containers, computeConfig: { docker } });
    const name = 'landlord-tenant-team-a-acme-9201d5e7';
    const app = run({ name: `${name}.app` });
    run({ name: `${name}.side`, role: 'side', network: `container:${app.id}` });
    await pass(1_000);
    model.stop(engine, 'person', app.id);
    await pass(20_000);
    model.start(engine, 'person', app.id);
    await pass(settledMs);
  },
  async whatRunsIsReady({ apply, pass, run }) {
    await apply();
    run();
    await pass(settledMs);
  },
  async whatCannotRunSaysSo(bench) {
    await bench.apply({ computeProvider: 'docker', computeConfig: { docker: { image: 'missing:1' } } });
    await bench.say('Ready=True/Running: 1/1');
  },
  async othersRunOn({ apply, engine, pass, run }) {
    const containers = [
      { name: 'app', image: 'nocmd:1' },
      { name: 'db', image: 'db:1' },
    ];
    await apply({ computeProvider: 'docker', containers });
    model.stop(
      engine,
      'person',
      run({ image: 'db:1', role: 'db', name: 'landlord-tenant-team-a-acme-9201d5e7.db' }).id,
    );
    await pass(1_000);
  },
  async oldOneServes(bench) {
    await readyTenant(bench);
    await bench.edit({ spec: { computeConfig: { docker: { image: 'missing:1' } } } });
    for (const { id } of bench.engine.containers.values()) model.stop(bench.engine, 'person', id);
    await bench.pass(1_000);
  },
  async deletedIsGone({ addFinalizer, apply, remove }) {
    await apply();
    await addFinalizer();
    await remove();
  },
  async nothingIsLeft({ run }) {
    run();
  },
  async noServiceIsLeft({ addFinalizer, apply, remove, takeFinalizer, world }) {
    await apply({ computeProvider: 'ecs' });
    const { signal } = new AbortController();
    const serviceName = serviceNameOf('team-a-acme-9201d5e7');
    const input = {
      serviceName,
      cluster: ecsBlock.cluster_arn,
      taskDefinition: ecsBlock.task_definition_arn,
    };
    const created = world.aws().createService({ region: 'us-west-2' }, { ...input, desiredCount: 1 }, signal);
    await world.time.advance(1_000);
    await created;
    await addFinalizer();
    await remove();
    await takeFinalizer();
  },
  async nothingIsMocked() {
    // The bench's operator holds a workload of nobody.
  },
  async letGoSaysSo(bench) {
    await readyTenant(bench);
    const [first] = bench.world.operators;
    if (first !== undefined) Object.assign(first.config, { tenantSelector: 'watched=yes' });
  },
  async suspendedShows(bench) {
    await bench.apply({ ...goodSpec, suspend: true });
    bench.run();
    await bench.pass(settledMs);
    await bench.say('Ready=Unknown/Suspended: suspended', {
      placement: { ...placement, labelPrefix: 'landlord' },
    });
  },
  async requestsAreEchoed({ apply, edit }) {
    await apply();
    await edit({ metadata: { annotations: { 'landlord.dev/reconcile-requested-at': 'now' } } });
  },
  async jobsAreHealthy(bench) {
    const docker = { image: 'job:1', restart_policy: 'no' };
    await bench.apply({ computeProvider: 'docker', computeConfig: { docker } });
    bench.run({ image: 'job:1', restartPolicy: 'no' });
    await bench.pass(settledMs);
    await bench.say('Ready=False/Unhealthy: exited', { placement });
  },
  async illIsRestarted({ apply, pass, run }) {
    await apply({ ...goodSpec, unhealthyPolicy: 'Restart' });
    Object.assign(run({ restartPolicy: 'unless-stopped' }), { health: 'unhealthy' });
    await pass(600_000);
  },
};

/** What looks as if it broke a promise. */
const innocent: readonly (readonly [
  invariant: string,
  what: string,
  act: (bench: Bench) => Promise<void>,
])[] = [
  [
    'generationIsTold',
    'nobody reaches the apiserver',
    async (bench) => {
      await readyTenant(bench);
      await bench.edit({ spec: { suspend: false } });
      bench.world.weather.apiserverDown = true;
      await bench.pass(600_000);
    },
  ],
  [
    'oldOneServes',
    'a person removes what ran before, which no operator knows, and that is told',
    async (bench) => {
      await readyTenant(bench);
      await bench.edit({ spec: { computeConfig: { docker: { image: 'missing:1' } } } });
      for (const { id } of bench.engine.containers.values()) model.remove(bench.engine, 'person', id);
      await bench.pass(1_000);
      for (const one of bench.world.operators) Object.assign(one, { startedMs: bench.world.time.now() });
      await bench.say('Ready=False/RolledBack: no such image. Nothing runs now', { placement });
    },
  ],
  [
    'keepsWhatRuns',
    'it holds the host port at a place that is left',
    async (bench) => {
      const ports = [{ container_port: 80, host_port: 18_080 }];
      const docker = { image: 'app:1', ports };
      await bench.apply({ computeProvider: 'docker', computeConfig: { docker } });
      const { id } = bench.run({ hostPort: 18_080 });
      await bench.pass(settledMs);
      await bench.say('Ready=True/Running: 1/1', { placement, ...running });
      for (const { config } of bench.world.operators)
        Object.assign(config, { docker: { ...config.docker, label_prefix: 'tenants' } });
      await bench.pass(90_000);
      model.stop(bench.engine, operator, id);
    },
  ],
  [
    'oldOneServes',
    'what ran before has ended by itself, as its policy lets it',
    async (bench) => {
      const once = { image: 'latecrash:1', restart_policy: 'no' };
      await bench.apply({ computeProvider: 'docker', computeConfig: { docker: once } });
      bench.run({ image: 'latecrash:1', restartPolicy: 'no' });
      await bench.pass(5_000);
      await bench.say('Ready=True/Running: 1/1', { placement, ...running });
      await bench.pass(60_000);
      await bench.edit({ spec: { computeConfig: { docker: { image: 'missing:1' } } } });
    },
  ],
  [
    'finalizerLast',
    'what is left is of an object before it, at a place that no config leads to',
    async (bench) => {
      bench.run({ name: 'tenants-tenant-team-a-acme-9201d5e7', prefix: 'tenants' });
      await bench.apply();
      await bench.addFinalizer();
      await bench.remove();
      await bench.takeFinalizer();
    },
  ],
  [
    'oneServes',
    'another Tenant has its id',
    async (bench) => {
      await bench.apply({ ...goodSpec, tenantId: 'team-a-acme-9201d5e7' }, 'elder');
      await bench.pass(1_000);
      await bench.apply();
      bench.run();
      bench.run({ name: 'landlord-tenant-team-a-acme-9201d5e7_next' });
      await bench.pass(1_200_000);
    },
  ],
  [
    'oneServes',
    'it waits for consent that one of them goes',
    async (bench) => {
      await bench.apply();
      bench.run();
      bench.run({ name: 'landlord-tenant-team-a-acme-9201d5e7_next' });
      await bench.say('Ready=False/ApprovalRequired: waits for consent', { placement });
      await bench.pass(1_200_000);
    },
  ],
  ['oneServes', 'one of them was to stay, at a place that no config leads to', reappliedElsewhere],
  ['nothingIsLeft', 'it was to stay, at a place that no config leads to', reappliedElsewhere],
  [
    'changesLittle',
    'another operator removes what had come to a good end: either row is short',
    triesAround('operator-2'),
  ],
  [
    'writesLittle',
    'each of two operators writes little',
    async (bench) => {
      await bench.apply();
      for (let round = 0; round < 40; round += 1) {
        await bench.say(`Ready=False/Provisioning: ${round} %`);
        await bench.sayAs('operator-2', `Ready=False/Updating: ${round} %`);
      }
    },
  ],
  [
    'writesLittle',
    'it was three a moment ago, each of which was told of',
    async (bench) => {
      await bench.apply({ ...goodSpec, replicas: 3 });
      for (let round = 0; round < 70; round += 1) await bench.say(`Ready=False/Provisioning: ${round} %`);
      await bench.edit({ spec: { replicas: 1 } });
      await bench.say('Ready=False/Updating: one');
    },
  ],
  [
    'passesLittle',
    'it has many containers, or had a moment ago',
    async ({ apply, edit, world }) => {
      const containers = Array.from({ length: 9 }, (_, index) => ({ name: `c${index}`, image: 'app:1' }));
      await apply({ computeProvider: 'docker', containers, replicas: 2 });
      await edit({ spec: { replicas: 1 } });
      for (let round = 0; round < 200; round += 1) world.onPass('team-a/acme', operator);
    },
  ],
  [
    'quietCostsNothing',
    'each restart of what is ill is asked for',
    async ({ apply, say }) => {
      const healthCheck = { command: ['/ok'], intervalSeconds: 2 };
      const containers = [{ name: 'app', image: 'sick:1', healthCheck }];
      await apply({ computeProvider: 'docker', containers, unhealthyPolicy: 'Restart', approval: 'Always' });
      await say('Ready=False/ApprovalRequired: waits for consent');
    },
  ],
  [
    'passesLittle',
    'each of two operators looks at it now and then',
    async ({ world }) => {
      for (let round = 0; round < 200; round += 1) world.onPass('team-a/acme', `operator-${round % 2}`);
    },
  ],
  [
    'successorFirst',
    'a successor that is no longer wanted goes, and what it was to succeed runs as ill as ever',
    async (bench) => {
      const crashing = { image: 'latecrash:1' };
      await bench.apply({ computeProvider: 'docker', computeConfig: { docker: crashing } });
      bench.run(crashing);
      await bench.pass(7_000);
      await bench.say('Ready=True/Running: 1/1', { placement, ...running });
      await bench.pass(60_000);
      await bench.edit({ spec: { computeConfig: { docker: { image: 'app:2' } } } });
      const { id } = bench.run({ name: 'landlord-tenant-team-a-acme-9201d5e7_next', image: 'app:2' });
      await bench.edit({ spec: { computeConfig: { docker: { image: 'app:3' } } } });
      await bench.pass(90_000);
      model.remove(bench.engine, operator, id);
    },
  ],
  [
    'successorFirst',
    'a process of the host has the port of the successor, which no engine can tell',
    stopForPort(({ engine }) => void engine.heldPorts.add(18_080)),
  ],
  [
    'leavesReportedAlone',
    'a Secret has another value than what runs was made with',
    async (bench) => {
      await readySecretReader(bench);
      const old = bench.engine.find('landlord-tenant-team-a-acme-9201d5e7');
      putSecret(bench.world, 'new');
      bench.run({ name: 'landlord-tenant-team-a-acme-9201d5e7_next', env: ['PASSWORD=new'] });
      model.stop(bench.engine, operator, old?.id ?? '');
    },
  ],
];

const holder = { by: 'person', name: 'holder', hostPort: 18_080 };

/** What runs is stopped for a successor that excludes it, and whose port somebody holds. */
function stopForPort(hold: (bench: Bench) => void): (bench: Bench) => Promise<void> {
  return async (bench) => {
    const docker = { image: 'stateful:1' };
    await bench.apply({ computeProvider: 'docker', computeConfig: { docker } });
    const { id } = bench.run(docker);
    await bench.pass(settledMs);
    await bench.say('Ready=True/Running: 1/1', { placement, ...running });
    const ports = [{ container_port: 80, host_port: 18_080 }];
    await bench.edit({ spec: { computeConfig: { docker: { ...docker, ports } } } });
    hold(bench);
    await bench.pass(90_000);
    model.stop(bench.engine, operator, id);
  };
}

/** Two rows of seven tries; the last of the first one comes to a good end before it is removed. */
function triesAround(removedBy: string): (bench: Bench) => Promise<void> {
  return async ({ engine, run }) => {
    for (let round = 0; round < 14; round += 1) {
      const container = run({ name: 'again' });
      Object.assign(container, { state: 'exited', exitCode: round === 6 ? 0 : 143 });
      model.remove(engine, removedBy, container.id);
      engine.containers.delete(container.id);
    }
  };
}

/** A Tenant that is Ready with what a Secret says, and has its drift only reported. */
async function readySecretReader(bench: Bench): Promise<void> {
  putSecret(bench.world, 'old');
  const valueFrom = { secretKeyRef: { name: 'db', key: 'password' } };
  const containers = [{ name: 'app', image: 'app:1', env: [{ name: 'PASSWORD', valueFrom }] }];
  await bench.apply({ computeProvider: 'docker', driftPolicy: 'Report', containers });
  bench.run({ env: ['PASSWORD=old'] });
  await bench.pass(settledMs);
  await bench.say('Ready=True/Running: 1/1', { placement, ...running });
  await bench.pass(240_000);
}

/** A user stores the Secret `db`. */
function putSecret({ ledger }: World, password: string): void {
  const data = { password: Buffer.from(password).toString('base64') };
  const metadata = { name: 'db', namespace: 'team-a', uid: '', resourceVersion: '', creationTimestamp: '' };
  const secret = { user: 'user', collection: 'secrets', subresource: undefined, before: undefined };
  ledger.take({ ...secret, after: { metadata, data } as never });
}

/** A Tenant that goes with its workload kept, and comes again under another `label_prefix`. */
async function reappliedElsewhere(bench: Bench): Promise<void> {
  await bench.apply({ ...goodSpec, deletionPolicy: 'Retain' });
  await bench.addFinalizer();
  bench.run();
  await bench.remove();
  await bench.takeFinalizer();
  for (const { config } of bench.world.operators)
    Object.assign(config, { docker: { ...config.docker, label_prefix: 'tenants' } });
  await bench.apply({ computeProvider: 'docker', computeConfig: { docker: { image: 'app:2' } } });
  bench.run({ name: 'tenants-tenant-team-a-acme-9201d5e7', prefix: 'tenants', image: 'app:2' });
  await bench.pass(1_200_000);
}

/** A Tenant that runs as it says, and is rightly called Ready. */
async function readyTenant(bench: Bench, spec: Record<string, unknown> = goodSpec): Promise<void> {
  await bench.apply(spec);
  bench.run();
  await bench.pass(settledMs);
  await bench.say('Ready=True/Running: 1/1', { placement, ...running });
}

/** The invariants that break while the test does that. */
async function brokenBy(act: (bench: Bench) => Promise<void>): Promise<ReadonlySet<string>> {
  const random = createRandom(1);
  const time = installVirtualTime(() => random.next());
  try {
    const world = createWorld(random, time);
    const broken = new Set<string>();
    const watching = invariants.map((one) => one.watch(world, () => void broken.add(one.name)));
    world.observers.push(...watching);
    const sample = (): void => {
      for (const one of watching) one.onSample?.();
      setTimeout(sample, 5_000);
    };
    setTimeout(sample, 5_000);
    await act(createBench(world, time));
    for (const one of watching) if (one.afterQuiet !== undefined) one.afterQuiet();
    for (const one of watching) await one.atEnd?.();
    return broken;
  } finally {
    time.uninstall();
  }
}

describe('an invariant', () => {
  it.each(invariants.map(({ name }) => name))('%s is broken by what it forbids', async (name) => {
    const act = sabotage[name];
    expect(act, 'each has something that breaks it').toBeDefined();
    expect([...(await brokenBy(act as (bench: Bench) => Promise<void>))]).toContain(name);
  });

  it.each(innocent)('%s is kept where %s', async (name, _what, act) => {
    expect([...(await brokenBy(act))]).not.toContain(name);
  });

  it.each(['oneServes', 'nothingIsLeft'])(
    '%s is broken by what was to stay, once a Tenant of that name has had its place',
    async (name) => {
      const broken = await brokenBy(async (bench) => {
        await reappliedElsewhere(bench);
        const left = { ...placement, engineId: 'ID-one', labelPrefix: 'landlord' };
        await bench.say('Ready=True/Running: 1/1', { placement, previousPlacements: [left] });
        await bench.pass(1_200_000);
      });
      expect([...broken]).toContain(name);
    },
  );

  it('changesLittle is broken by who removes itself what had come to a good end, and begins anew', async () => {
    expect([...(await brokenBy(triesAround(operator)))]).toContain('changesLittle');
  });

  it('successorFirst is broken by a stop for a successor whose port a person’s container publishes', async () => {
    expect([...(await brokenBy(stopForPort(({ run }) => void run(holder))))]).toContain('successorFirst');
  });

  it('leavesReportedAlone is broken where what runs has the value of its Secret', async () => {
    const broken = await brokenBy(async (bench) => {
      await readySecretReader(bench);
      const [container] = bench.engine.containers.values();
      model.update(bench.engine, operator, container?.id ?? '', { Memory: 0 });
    });
    expect([...broken]).toContain('leavesReportedAlone');
  });

  it('is kept by a Tenant that runs as it says', async () => {
    const broken = await brokenBy(async (bench) => {
      await readyTenant(bench);
      await bench.pass(600_000);
    });
    // The bench's operator mocks somebody for the sake of one invariant, and every write of a bench is one in quiet.
    expect([...broken].toSorted()).toEqual(['nothingIsMocked', 'quietCostsNothing']);
  });
});
