import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { freezeShim } from '../../dev/container-shim.ts';
import type { CountingProxy, ProxyFault } from '../../dev/counting-proxy.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import type { Registry } from '../../dev/registry.ts';
import type { Random } from '../simulation/random.ts';
import type { OperatorKeeper } from './operator-keeper.ts';
import type { Kind } from './plan.ts';

/** What can be done to the parts, each with the way back. */

export interface Fault extends Kind {
  /** Does it, and returns how it is undone. Undefined: there was nothing to do it to. */
  begin(random: Random): Promise<Undo | undefined>;
}

export interface Undo {
  /** What it was done to, where the name of the fault does not tell. */
  readonly target?: string;
  undo(): Promise<unknown> | void;
}

export interface Parts {
  readonly plane: ControlPlane;
  readonly engine: PrivateDockerEngine;
  readonly docker: Dockerode;
  readonly registry: Registry;
  readonly ecs: CountingProxy;
  readonly operator: OperatorKeeper;
  /** The label of what the operator owns on the engine: `key=value`. */
  readonly ownerLabel: string;
}

export function faultsOf(parts: Parts): readonly Fault[] {
  return [
    ...clusterFaults(parts),
    ...operatorFaults(parts),
    ...engineFaults(parts),
    ...registryFaults(parts),
    ...ecsFaults(parts),
  ];
}

function clusterFaults({ plane }: Parts): Fault[] {
  const apiserver = { freeze: () => plane.freezeApiserver(), thaw: () => plane.thawApiserver() };
  const killApiserver = (): Promise<void> => plane.killApiserver();
  const etcd = { freeze: () => plane.freezeEtcd(), thaw: () => plane.thawEtcd() };
  return [
    {
      name: 'apiserver killed',
      weight: 3,
      begin: async () => away(killApiserver, () => plane.startApiserver()),
    },
    {
      name: 'apiserver killed, its history compacted',
      weight: 1,
      begin: async () =>
        away(killApiserver, async () => {
          await plane.compact();
          await plane.startApiserver();
        }),
    },
    { name: 'apiserver frozen', weight: 3, begin: async () => frozen(apiserver) },
    { name: 'apiserver throttled', weight: 2, begin: async () => throttled(apiserver) },
    {
      name: 'etcd killed',
      weight: 2,
      begin: async () =>
        away(
          () => plane.killEtcd(),
          () => plane.startEtcd(),
        ),
    },
    { name: 'etcd frozen', weight: 2, begin: async () => frozen(etcd) },
  ].map((fault) => ({ ...fault, lane: 'cluster' as const }));
}

function operatorFaults({ operator }: Parts): Fault[] {
  const process = { freeze: () => operator.signal('SIGSTOP'), thaw: () => operator.signal('SIGCONT') };
  return [
    {
      name: 'operator killed',
      weight: 3,
      endsOperator: true,
      begin: async () =>
        away(
          () => operator.kill(),
          () => operator.start(),
        ),
    },
    {
      name: 'operator ended (SIGTERM)',
      weight: 3,
      endsOperator: true,
      begin: async () =>
        away(
          () => operator.end(),
          () => operator.start(),
        ),
    },
    { name: 'operator frozen', weight: 1, begin: async () => frozen(process) },
  ].map((fault) => ({ ...fault, lane: 'cluster' as const }));
}

function engineFaults({ engine, docker, ownerLabel }: Parts): Fault[] {
  const onContainer =
    (damage: (container: Dockerode.Container) => Promise<unknown>) => async (random: Random) => {
      const found = await anyContainer(docker, ownerLabel, random);
      if (found === undefined) return undefined;
      await damage(docker.getContainer(found.Id));
      return { target: nameOf(found), undo: () => undefined };
    };
  return [
    {
      name: 'dockerd killed',
      weight: 2,
      begin: async () =>
        away(
          () => engine.kill(),
          () => engine.start(),
        ),
    },
    {
      name: 'dockerd ended (SIGTERM)',
      weight: 1,
      begin: async () =>
        away(
          () => engine.shutDown(),
          () => engine.start(),
        ),
    },
    { name: 'dockerd frozen', weight: 3, begin: async () => frozen(engine) },
    { name: 'dockerd throttled', weight: 2, begin: async () => throttled(engine) },
    {
      name: 'shim frozen',
      weight: 3,
      begin: async (random: Random) => frozenShim(docker, ownerLabel, random),
    },
    { name: 'container killed', weight: 2, begin: onContainer((container) => container.kill()) },
    {
      name: 'container removed',
      weight: 2,
      begin: onContainer((container) => container.remove({ force: true })),
    },
    { name: 'container paused', weight: 1, begin: onContainer((container) => container.pause()) },
  ].map((fault) => ({ ...fault, lane: 'engines' as const }));
}

/** Without the images that nobody runs, so that who gets one of them has to pull meanwhile. */
function registryFaults({ docker, registry }: Parts): Fault[] {
  const silent = { freeze: () => registry.pause(), thaw: () => registry.resume() };
  return [
    {
      name: 'registry frozen',
      weight: 3,
      begin: async () => {
        await removeUnused(docker, registry.address);
        return frozen(silent);
      },
    },
    {
      name: 'registry killed',
      weight: 3,
      begin: async () => {
        await removeUnused(docker, registry.address);
        return away(
          () => registry.kill(),
          () => registry.start(),
        );
      },
    },
  ].map((fault) => ({ ...fault, lane: 'engines' as const }));
}

function ecsFaults({ ecs }: Parts): Fault[] {
  const answering = (fault: ProxyFault, share: number) => async (random: Random) => {
    ecs.setFault(() => (random.chance(share) ? fault : undefined));
    return { undo: () => ecs.setFault(undefined) };
  };
  const throttles: ProxyFault = { kind: 'refuse', status: 400, code: 'ThrottlingException' };
  const fails: ProxyFault = { kind: 'refuse', status: 500, code: 'ServerException' };
  return [
    { name: 'ECS throttles', weight: 2, begin: answering(throttles, 0.7) },
    { name: 'ECS fails', weight: 1, begin: answering(fails, 0.7) },
    { name: 'ECS loses answers', weight: 2, begin: answering({ kind: 'lose' }, 0.4) },
    { name: 'ECS slow', weight: 1, begin: answering({ kind: 'delay', ms: 2_000 }, 1) },
    { name: 'ECS killed', weight: 2, begin: answering({ kind: 'reset' }, 1) },
    { name: 'ECS frozen', weight: 2, begin: answering({ kind: 'hang' }, 1) },
  ].map((fault) => ({ ...fault, lane: 'engines' as const }));
}

async function away(take: () => Promise<void>, bringBack: () => Promise<void> | void): Promise<Undo> {
  await take();
  return { undo: bringBack };
}

interface Freezable {
  freeze(): void;
  thaw(): void;
}

function frozen(part: Freezable): Undo {
  part.freeze();
  return { undo: () => part.thaw() };
}

const throttle = { stoppedMs: 180, runsMs: 20 } as const;

/** It gets a tenth of its time. */
function throttled(part: Freezable): Undo {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      part.freeze();
      await sleep(throttle.stoppedMs);
      part.thaw();
      await sleep(throttle.runsMs);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return {
    undo: async () => {
      stop.abort();
      await running.finally(() => part.thaw());
    },
  };
}

async function removeUnused(docker: Dockerode, registry: string): Promise<void> {
  const names = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
  for (const name of names.filter((tag) => tag.startsWith(`${registry}/`)))
    // What a container is made of is refused.
    await docker
      .getImage(name)
      .remove()
      .catch(() => undefined);
}

async function anyContainer(
  docker: Dockerode,
  label: string,
  random: Random,
): Promise<Dockerode.ContainerInfo | undefined> {
  const found = await docker.listContainers({ filters: { label: [label], status: ['running'] } });
  return found.length === 0 ? undefined : random.pick(found);
}

function nameOf({ Names }: Dockerode.ContainerInfo): string {
  return (Names[0] ?? '').replace(/^\//, '');
}

/** One container's supervisor stops; the engine and all others go on. */
async function frozenShim(docker: Dockerode, label: string, random: Random): Promise<Undo | undefined> {
  const found = await anyContainer(docker, label, random);
  if (found === undefined) return undefined;
  return { target: nameOf(found), undo: await freezeShim(docker, found.Id) };
}
