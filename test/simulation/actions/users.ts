import { apiVersion, approve, finalizer, kind, reconcileRequestedAt } from '../../../src/api/names.ts';
import type { Tenant } from '../../../src/api/tenant.ts';
import { secretsResource, tenantsResource } from '../../../src/controller/kube-resources.ts';
import type { SecretObject } from '../../../src/controller/sources/source.ts';
import { KubeApiError } from '../../../src/kube/client/kube-api-error.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import { edits, newEcsSpec, newSpec, leaveRoom, putGuest, putInOrder, putRelease, scaleTo } from './specs.ts';
import type { Edit, SpecDraft } from './specs.ts';
import type { Action, Scene } from './scene.ts';

/** What people do to their Tenants and Secrets. */

export const namespace = 'team-a';

function tenantsOf({ world }: Scene) {
  return resource<Tenant>(world.apiserver.clientOf('user'), tenantsResource);
}

/** What the apiserver refuses is no more than that. */
async function tolerant<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KubeApiError) return undefined;
    throw error;
  }
}

async function create(scene: Scene, name: string, index: number): Promise<void> {
  const { random, badness } = scene;
  const spec = scene.home === 'ecs' ? newEcsSpec(random, badness) : newSpec(random, index, scene);
  await apply(scene, name, spec);
}

async function apply(scene: Scene, name: string, spec: SpecDraft): Promise<void> {
  putHabits(scene, spec, 0.7);
  scene.world.note(`user creates ${name} ${JSON.stringify(spec)}`);
  const metadata = { name, namespace, labels: { ...scene.labels } };
  await tolerant(tenantsOf(scene).create({ apiVersion, kind, metadata, spec }));
}

/** What the people of this run do in every spec. `chance`: that containers are put in order, or get a release. */
function putHabits(scene: Scene, spec: SpecDraft, chance: number): void {
  if (scene.order?.chance(chance) === true) putInOrder(spec, scene.order);
  if (scene.releases?.chance(chance) === true) putRelease(spec, scene.releases);
  if (scene.guests !== undefined) putGuest(spec, scene.guests);
  if (scene.counts !== undefined) scaleTo(spec, scene.counts);
  if (scene.consents?.chance(0.8) === true) spec.approval = 'Always';
  leaveRoom(spec);
}

/** Replaces the spec by an edited one, if there is such a Tenant. */
async function edit(scene: Scene, name: string, change: (spec: SpecDraft) => void): Promise<void> {
  const tenants = tenantsOf(scene);
  const tenant = await tenants.get(name, namespace);
  if (tenant === undefined || tenant.metadata.deletionTimestamp !== undefined) return;
  const spec = structuredClone(tenant.spec) as SpecDraft;
  change(spec);
  putHabits(scene, spec, 0.3);
  scene.world.note(`user edits ${name} ${JSON.stringify(spec)}`);
  // All but the status, as `kubectl replace` has it.
  await tolerant(tenants.replace({ ...tenant, spec }));
}

async function annotate(scene: Scene, name: string, metadata: Record<string, unknown>): Promise<void> {
  scene.world.note(`user marks ${name} ${JSON.stringify(metadata)}`);
  await tolerant(tenantsOf(scene).mergePatch(name, namespace, { metadata }));
}

async function remove(scene: Scene, name: string): Promise<void> {
  scene.world.note(`user deletes ${name}`);
  await tolerant(tenantsOf(scene).delete(name, namespace));
}

async function putSecret(scene: Scene, password: string): Promise<void> {
  const secrets = resource<SecretObject>(scene.world.apiserver.clientOf('user'), secretsResource);
  const data = { password: Buffer.from(password).toString('base64') };
  const metadata = { name: 'db', namespace };
  if ((await secrets.get('db', namespace)) === undefined)
    await secrets.create({ metadata, type: 'Opaque', data });
  else await secrets.mergePatch('db', namespace, { data });
}

export async function rotateSecret(scene: Scene): Promise<void> {
  scene.world.note('user rotates the Secret');
  await putSecret(scene, `hush-${scene.random.int(1, 1_000_000)}-hush`);
}

/** Approves what waits for it. */
export async function approveAll(scene: Scene): Promise<void> {
  for (const [key, { status, metadata }] of scene.world.ledger.tenants) {
    const digest = status?.plan?.digest;
    if (digest === undefined || metadata.annotations?.[approve] === digest) continue;
    await annotate(scene, key.split('/')[1] ?? '', { annotations: { [approve]: digest } });
  }
}

export const userActions = {
  async create(scene) {
    const index = scene.random.int(0, scene.names.length - 1);
    await create(scene, scene.names[index] ?? '', index);
  },
  async edit(scene) {
    const { random, badness } = scene;
    const index = random.int(0, scene.names.length - 1);
    const kinds = (Object.keys(edits) as Edit[]).filter((kind) => !scene.leftOut.has(kind));
    const kindOfEdit = random.pick(kinds);
    await edit(scene, scene.names[index] ?? '', (spec) => edits[kindOfEdit](spec, random, badness, index));
  },
  async editImage(scene) {
    const index = scene.random.int(0, scene.names.length - 1);
    await edit(scene, scene.names[index] ?? '', (spec) => edits.image(spec, scene.random, scene.badness));
  },
  async suspend(scene) {
    await edit(scene, scene.anyName(), (spec) => void (spec.suspend = spec.suspend !== true));
  },
  async observeForAWhile(scene) {
    const name = scene.anyName();
    await edit(scene, name, (spec) => void (spec.mode = 'Observe'));
    await scene.pass(scene.random.int(500, 150_000));
    await edit(scene, name, (spec) => void (spec.mode = 'Manage'));
  },
  async createSuspended(scene) {
    const name = scene.anyName();
    const spec = {
      ...newSpec(scene.random, scene.names.indexOf(name), { ...scene, badness: 0 }),
      suspend: true,
    };
    await apply(scene, name, spec);
  },
  async move(scene) {
    await edit(scene, scene.anyName(), (spec) => {
      spec.computeProvider = spec.computeProvider === scene.home ? scene.away : scene.home;
    });
  },
  async delete(scene) {
    await remove(scene, scene.anyName());
  },
  async createAndDelete(scene) {
    const index = scene.random.int(0, scene.names.length - 1);
    const name = scene.names[index] ?? '';
    await create(scene, name, index);
    await scene.pass(scene.random.int(0, 400));
    await remove(scene, name);
  },
  async retainAndReapply(scene) {
    const index = scene.random.int(0, scene.names.length - 1);
    const name = scene.names[index] ?? '';
    await edit(scene, name, (spec) => void (spec.deletionPolicy = 'Retain'));
    await scene.pass(scene.random.int(500, 3_000));
    await remove(scene, name);
    await scene.pass(scene.random.int(500, 3_000));
    const spec: SpecDraft = {
      ...newSpec(scene.random, index, { ...scene, badness: 0 }),
      deletionPolicy: 'Delete',
    };
    const way = scene.random.int(0, 2);
    if (way === 0) spec.suspend = true;
    if (way === 1) spec.computeConfig = { docker: { volumes: ['/etc:/etc'] } };
    await apply(scene, name, spec);
  },
  async request(scene) {
    const at = new Date().toISOString();
    await annotate(scene, scene.anyName(), { annotations: { [reconcileRequestedAt]: at } });
  },
  async label(scene) {
    await annotate(scene, scene.anyName(), { labels: { team: `${scene.random.int(1, 9)}` } });
  },
  async unselect(scene) {
    const [key] = Object.keys(scene.labels);
    if (key !== undefined)
      await annotate(scene, scene.anyName(), { labels: { [key]: scene.random.chance(0.7) ? null : 'yes' } });
  },
  async approve(scene) {
    await approveAll(scene);
  },
  async wipeStatus(scene) {
    const name = scene.anyName();
    const tenant = await tenantsOf(scene).get(name, namespace);
    if (tenant?.status === undefined) return;
    scene.world.note(`user wipes the status of ${name}`);
    scene.world.apiserver.putStatusUnchecked(namespace, name, undefined);
  },
  async wipeStatusOfSuspended(scene) {
    const name = scene.anyName();
    await edit(scene, name, (spec) => void (spec.suspend = true));
    await scene.pass(scene.random.int(500, 3_000));
    if ((await tenantsOf(scene).get(name, namespace)) === undefined) return;
    scene.world.note(`user wipes the status of ${name}`);
    scene.world.apiserver.putStatusUnchecked(namespace, name, undefined);
  },
  async brokenStatus(scene) {
    const name = scene.anyName();
    const tenant = await tenantsOf(scene).get(name, namespace);
    if (tenant?.status?.placement === undefined) return;
    const { provider: _provider, ...placement } = tenant.status.placement;
    scene.world.note(`the status of ${name} is that of an older version`);
    scene.world.apiserver.putStatusUnchecked(namespace, name, { ...tenant.status, placement });
  },
  async rotateSecret(scene) {
    await rotateSecret(scene);
  },
  async secretsFail(scene) {
    const { world } = scene;
    world.note('the apiserver fails to read Secrets');
    world.weather.secretsFail = true;
    for (const name of scene.names) await edit(scene, name, (spec) => edits.env(spec, scene.random));
    await scene.pass(300_000);
    world.weather.secretsFail = false;
  },
  async twin(scene) {
    const number = scene.random.int(1, 3);
    const name = `twin-${number}`;
    // Each with a host port of its own: of two that want the same, one could not run.
    const spec = {
      ...newSpec(scene.random, 8 + number, { ...scene, badness: 0 }),
      tenantId: `${namespace}-${scene.anyName()}`,
    };
    await apply(scene, name, spec);
  },
  async otherFinalizer(scene) {
    const name = scene.anyName();
    const tenant = await tenantsOf(scene).get(name, namespace);
    if (tenant === undefined || tenant.metadata.deletionTimestamp !== undefined) return;
    const finalizers = (tenant.metadata.finalizers ?? []).filter((one) => one === finalizer);
    await annotate(scene, name, { finalizers: [...finalizers, 'example.com/other'] });
    await scene.pass(scene.random.int(100, 3_000));
    await remove(scene, name);
    await scene.pass(scene.random.int(5_000, 20_000));
    const later = await tenantsOf(scene).get(name, namespace);
    const rest = (later?.metadata.finalizers ?? []).filter((one) => one === finalizer);
    if (later !== undefined) await annotate(scene, name, { finalizers: rest });
  },
} satisfies Record<string, Action>;
