import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createImageGc } from '../../../../../../src/compute/providers/docker/converge/images/gc/image-gc.ts';
import type { ImageGcOptions } from '../../../../../../src/compute/providers/docker/converge/images/gc/image-gc.ts';
import { EngineRefusal } from '../../../../../../src/compute/providers/docker/engine/engine.ts';
import { recordingLogger } from '../../../../../kube/recording-logger.ts';
import { anyConsent, anyPermit } from '../../../../permits.ts';
import { ownershipOf } from '../../../../../../src/compute/ownership.ts';
import { settings, silent } from '../../docker-fixture.ts';
import { imageId, memoryEngine } from '../../memory-engine.ts';
import type { MemoryEngine } from '../../memory-engine.ts';

const signal = new AbortController().signal;
const hour = 3_600_000;
const { ownership } = settings();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());
const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);
/** Turns in which whatever waits for nothing but promises comes to its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const records = ({ volumes }: MemoryEngine) =>
  [...volumes.values()].flatMap(({ Labels }) => Labels['landlord.image'] ?? []);
const some = (standing: Record<string, number>, removed = 0) => ({
  kept: { others: 0, used: 0, wanted: 0, rollback: 0, grace: 0, due: 0, ...standing },
  removed,
});

/** An operator on the engine. `look` is one of `afterMs` later, and by so much more as an engine's clock may be off. */
async function operator(engine: MemoryEngine, over: Partial<ImageGcOptions> = {}) {
  const gc = createImageGc({
    engine,
    ownership,
    domain: '',
    graceMs: 24 * hour,
    dryRun: false,
    logger: silent,
    now: () => Date.now(),
    ...over,
  });
  const stop = new AbortController();
  const listening = gc.listen(stop.signal);
  const end = async () => {
    stop.abort();
    await listening;
  };
  onTestFinished(end);
  await turn();
  // By then, what the engine remembers has been told.
  later(10_000);
  return {
    gc,
    end,
    pull: (image: string) => gc.pullImage(image, undefined, () => undefined, signal),
    look: async (afterMs = 0, asked: readonly string[] = []) => {
      later(afterMs + 10_000);
      await turn();
      const { kept, removed } = (await gc.collect(anyPermit, signal, asked)) ?? {};
      return { kept, removed };
    },
  };
}

/** Of an image that somebody has brought before. */
const theirs = 'theirs:1';

/** A container of a tenant, or of nobody. */
async function run(engine: MemoryEngine, name: string, image: string, labels?: Record<string, string>) {
  const made = await engine.createContainer(name, { Image: image, Labels: labels ?? {} }, signal);
  if (made === 'name-taken') throw new Error(`${name} is taken`);
  return made.id;
}
const ours = (tenantId: string, more = {}) => ({
  ...ownership.of({ tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'u' } }),
  'landlord.container': 'app',
  ...more,
});

describe('images that Landlord has pulled', () => {
  test('go once nobody has needed them for the grace period, and with them what was written down', async () => {
    const engine = memoryEngine([theirs]);
    const { pull, look } = await operator(engine);
    await pull('app:1');
    expect(records(engine)).toEqual(['docker.io/library/app:1']);
    expect(await look()).toEqual(some({ others: 1, grace: 1 }));
    expect(await look(23 * hour)).toEqual(some({ others: 1, grace: 1 }));
    expect(await look(hour)).toEqual(some({ others: 1 }, 1));
    expect([...engine.images]).toEqual([theirs]);
    expect(records(engine)).toEqual([]);
  });

  test('are looked at by three lists, whatever their number', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    for (let n = 1; n <= 20; n += 1) await pull(`app:${n}`);
    engine.calls.length = 0;
    await look();
    expect(engine.calls).toEqual(['listImages', 'listContainers', 'listVolumes']);
  });

  test('stay in a dry run, and are told of once', async () => {
    const engine = memoryEngine();
    const { logger, lines } = recordingLogger();
    const { pull, look } = await operator(engine, { dryRun: true, logger });
    await pull('app:1');
    await look();
    expect(await look(24 * hour)).toEqual(some({ due: 1 }));
    expect(await look(hour)).toEqual(some({ due: 1 }));
    expect(lines.filter(({ message }) => message.includes('dry_run'))).toMatchObject([
      { fields: { image: 'docker.io/library/app:1', bytes: 1_000 } },
    ]);
    expect(engine.calls).not.toContain('removeImage');
  });

  test('stay while a Tenant asks for them, and begin their time anew', async () => {
    const engine = memoryEngine();
    const { gc, pull, look } = await operator(engine);
    await pull('app:1');
    await look();
    gc.want('acme', new Set(['app:1']));
    expect(await look(24 * hour)).toEqual(some({ wanted: 1 }));
    gc.forget('acme');
    expect(await look(24 * hour)).toEqual(some({ grace: 1 }));
    expect(await look(24 * hour)).toEqual(some({}, 1));
  });

  test('stay while a Tenant asks for them that the provider has not heard of', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull('app:1');
    await look();
    expect(await look(24 * hour, ['not an image', 'app:1'])).toEqual(some({ wanted: 1 }));
    expect(await look(24 * hour)).toEqual(some({ grace: 1 }));
  });

  test('are looked at on after one that the engine fails at, which begins no time anew', async () => {
    const engine = memoryEngine();
    const { logger, lines } = recordingLogger();
    const { pull, look } = await operator(engine, { logger });
    for (const n of [1, 2, 3]) await pull(`app:${n}`);
    await look();
    const inspectImage = engine.inspectImage.bind(engine);
    engine.inspectImage = async (reference, abort) => {
      if (reference === imageId('app:1')) throw new EngineRefusal('other', 500, 'layer does not exist');
      return inspectImage(reference, abort);
    };
    expect(await look(24 * hour)).toEqual(some({ due: 1 }, 2));
    expect([...engine.images]).toEqual(['app:1']);
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { image: 'docker.io/library/app:1', error: expect.stringContaining('layer') as string } },
    ]);
    engine.inspectImage = inspectImage;
    expect(await look()).toEqual(some({}, 1));
  });

  test('keep their time where the engine went away amid a look', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    for (const n of [1, 2]) await pull(`app:${n}`);
    await look();
    const removeImage = engine.removeImage.bind(engine);
    engine.removeImage = () => Promise.reject(new Error('gone'));
    await expect(look(24 * hour)).rejects.toThrow('gone');
    engine.removeImage = removeImage;
    expect(await look()).toEqual(some({}, 2));
  });

  test('stay where a Tenant comes to ask for them while the look goes on', async () => {
    const engine = memoryEngine();
    const { gc, pull, look } = await operator(engine);
    for (const n of [1, 2]) await pull(`app:${n}`);
    await look();
    const removeImage = engine.removeImage.bind(engine);
    engine.removeImage = async (...args) => {
      gc.want('acme', new Set(['app:2']));
      return removeImage(...args);
    };
    expect((await look(24 * hour)).removed).toBe(1);
    expect([...engine.images]).toEqual(['app:2']);
  });

  test('stay while a container is made of them, running or not', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull('app:1');
    const id = await run(engine, 'landlord-tenant-acme', imageId('app:1'), ours('acme'));
    await look();
    expect(await look(24 * hour)).toEqual(some({ used: 1 }));
    await engine.removeContainer(id, anyConsent, signal);
    await look();
    expect((await look(24 * hour)).removed).toBe(0);
  });

  test('stay where a container says that one before it was made of them, also after a restart', async () => {
    const engine = memoryEngine();
    const first = await operator(engine);
    for (const n of [1, 2, 3]) await first.pull(`app:${n}`);
    const before = { 'landlord.images_before': imageId('app:2') };
    await run(engine, 'landlord-tenant-acme', imageId('app:3'), ours('acme', before));
    await first.end();
    const { look } = await operator(engine);
    await look();
    expect(await look(24 * hour)).toEqual(some({ used: 1, rollback: 1 }, 1));
    expect([...engine.images]).toEqual(['app:2', 'app:3']);
  });

  test('stay where a container was removed by hand and made anew, with another image', async () => {
    const engine = memoryEngine();
    const { gc, pull, look } = await operator(engine);
    for (const n of [1, 2]) await pull(`app:${n}`);
    const id = await run(engine, 'landlord-tenant-acme', imageId('app:1'), ours('acme'));
    await look();
    await engine.removeContainer(id, anyConsent, signal);
    await run(engine, 'landlord-tenant-acme', imageId('app:2'), ours('acme'));
    await look();
    expect(await look(24 * hour)).toEqual(some({ used: 1, rollback: 1 }));
    gc.forget('acme');
    await engine.removeContainer([...engine.containers.keys()][0] ?? '', anyConsent, signal);
    await look();
    expect((await look(24 * hour)).removed).toBe(2);
  });

  test('go by each of their names, where all of them are ours', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull('app:1');
    engine.tags.set('app:1', ['app:1', 'app:stable']);
    await engine.createVolume(
      {
        Name: 'landlord-image-stable',
        Labels: {
          ...ownership.shared(),
          'landlord.image_id': imageId('app:1'),
          'landlord.image': 'docker.io/library/app:stable',
          'landlord.pulled': new Date(Date.now() - hour).toISOString(),
        },
      },
      signal,
    );
    await look();
    expect((await look(24 * hour)).removed).toBe(1);
    expect([...engine.images]).toEqual([]);
    expect(records(engine)).toEqual([]);
  });

  test('go by their digest, where they were pulled by that', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull(`app:1@${imageId('app:1')}`);
    expect(records(engine)).toEqual([`docker.io/library/app@${imageId('app:1')}`]);
    await look();
    expect((await look(24 * hour)).removed).toBe(1);
  });

  test('outlive a look that the engine does not answer, and one that nobody hears beside', async () => {
    const engine = memoryEngine();
    const { gc, pull, look, end } = await operator(engine);
    await pull('app:1');
    const removeImage = engine.removeImage.bind(engine);
    await look();
    engine.removeImage = () => Promise.reject(new Error('gone'));
    await expect(look(24 * hour)).rejects.toThrow('gone');
    engine.removeImage = removeImage;
    await end();
    expect(await gc.collect(anyPermit, signal)).toBeUndefined();
    expect([...engine.images]).toEqual(['app:1']);
  });
});

describe('what a person has pulled is never removed', () => {
  const kept = async (
    whatElse: (engine: MemoryEngine, bench: Awaited<ReturnType<typeof operator>>) => Promise<void> | void,
    engine = memoryEngine(),
  ) => {
    const bench = await operator(engine);
    await whatElse(engine, bench);
    await bench.look();
    await bench.look(48 * hour);
    await bench.look(48 * hour);
    return [...engine.images];
  };

  test('it was there before, under that name or another one', async () => {
    expect(await kept(() => undefined, memoryEngine([theirs]))).toEqual([theirs]);
    const engine = memoryEngine();
    const list = engine.listImages.bind(engine);
    // What the pull gives its name to is there already.
    engine.listImages = async (...args) => {
      const all = await list(...args);
      return engine.images.size === 0 ? [{ Id: imageId('app:1'), RepoTags: ['mine:1'] }] : all;
    };
    expect(await kept((_engine, { pull }) => pull('app:1'), engine)).toEqual(['app:1']);
  });

  test('they pull, tag, save or run it afterwards, though nothing of that is left to be seen', async () => {
    const doings: ((engine: MemoryEngine) => Promise<void> | void)[] = [
      (engine) => engine.emitImage('pull', 'app:1'),
      (engine) => engine.emitImage('tag', imageId('app:1')),
      (engine) => engine.emitImage('save', imageId('app:1')),
      async (engine) => {
        await engine.removeContainer(await run(engine, 'hers', 'app:1'), anyConsent, signal);
      },
    ];
    for (const doing of doings) {
      const all = await kept(async (engine, { pull }) => {
        await pull('app:1');
        later(60_000);
        await doing(engine);
      });
      expect(all).toEqual(['app:1']);
    }
  });

  test('they have done so while the operator was away, as far as the engine remembers', async () => {
    const engine = memoryEngine();
    const first = await operator(engine);
    await first.pull('app:1');
    await first.pull('app:2');
    await first.end();
    later(60_000);
    engine.emitImage('pull', 'app:1');
    expect(await kept(() => undefined, engine)).toEqual(['app:1']);
  });

  test('they pull it while we do', async () => {
    const all = await kept(async (engine, { pull }) => {
      const pulling = engine.pullImage.bind(engine);
      engine.pullImage = async (...args) => {
        engine.emitImage('pull', 'app:1');
        await pulling(...args);
      };
      await pull('app:1');
    });
    expect(all).toEqual(['app:1']);
  });

  test('they tag or run it while we pull, and take that away again', async () => {
    const doings: ((engine: MemoryEngine) => Promise<void> | void)[] = [
      (engine) => engine.emitImage('load', imageId('app:1')),
      async (engine) => {
        engine.images.add('app:1');
        await engine.removeContainer(await run(engine, 'hers', 'app:1'), anyConsent, signal);
      },
    ];
    for (const doing of doings) {
      const all = await kept(async (engine, { pull }) => {
        const pulling = engine.pullImage.bind(engine);
        engine.pullImage = async (...args) => {
          await doing(engine);
          later(60_000);
          await pulling(...args);
        };
        await pull('app:1');
      });
      expect(all).toEqual(['app:1']);
    }
  });

  test('they pull it while we do, with a credential that is refused before the right one', async () => {
    const all = await kept(async (engine, { pull }) => {
      const pulling = engine.pullImage.bind(engine);
      engine.pullImage = () => Promise.reject(new Error('unauthorized'));
      await expect(pull('app:1')).rejects.toThrow('unauthorized');
      engine.pullImage = async (...args) => {
        engine.emitImage('pull', 'app:1');
        await turn();
        await pulling(...args);
      };
      await pull('app:1');
    });
    expect(all).toEqual(['app:1']);
  });

  test('they pull it while the operator did not hear, and it is looked at as soon as it hears again', async () => {
    const engine = memoryEngine();
    const first = await operator(engine);
    await first.pull('app:1');
    await first.look();
    await first.end();
    later(24 * hour);
    engine.emitImage('pull', 'app:1');
    const heard = Promise.withResolvers<void>();
    const imageEvents = engine.imageEvents.bind(engine);
    engine.imageEvents = async function* (labels, onOpen, abort) {
      onOpen();
      await heard.promise;
      yield* imageEvents(labels, () => undefined, abort);
    };
    const stop = new AbortController();
    const listening = first.gc.listen(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await listening;
    });
    await turn();
    expect(await first.gc.collect(anyPermit, signal)).toBeUndefined();
    heard.resolve();
    expect(await first.look()).toEqual(some({ others: 1 }));
  });

  test('they pull it, and the engine fails to drop what is written down, and forgets that', async () => {
    const engine = memoryEngine();
    const first = await operator(engine);
    await first.pull('app:1');
    later(60_000);
    engine.emitImage('pull', 'app:1');
    const removeVolume = engine.removeVolume.bind(engine);
    engine.removeVolume = () => Promise.reject(new EngineRefusal('other', 500, 'busy'));
    expect(await first.look()).toEqual(some({ others: 1 }));
    engine.removeVolume = removeVolume;
    await first.look();
    await first.end();
    const imageEvents = engine.imageEvents.bind(engine);
    engine.imageEvents = async function* (labels, onOpen, abort) {
      for await (const event of imageEvents(labels, onOpen, abort))
        if (event.timeMs > Date.now()) yield event;
    };
    expect(await kept(() => undefined, engine)).toEqual(['app:1']);
  });

  test('they tag it, build on it, or have a container of it, and then take that away again', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    for (const n of [1, 2, 3]) await pull(`app:${n}`);
    engine.tags.set('app:1', ['app:1', 'mine:1']);
    engine.images.add('child:1');
    engine.parents.set('child:1', 'app:2');
    const id = await run(engine, 'hers', imageId('app:3'));
    expect(await look()).toEqual(some({ others: 4 }));
    engine.tags.clear();
    engine.parents.clear();
    await engine.removeContainer(id, anyConsent, signal);
    await look(24 * hour);
    expect(await look(24 * hour)).toEqual(some({ others: 4 }));
  });

  test('they pull it while the look goes on, or nobody hears any more', async () => {
    const engine = memoryEngine();
    const { pull, look, end } = await operator(engine);
    for (const n of [1, 2, 3]) await pull(`app:${n}`);
    await look();
    const removeImage = engine.removeImage.bind(engine);
    engine.removeImage = async (...args) => {
      engine.emitImage('pull', 'app:2');
      await turn();
      return removeImage(...args);
    };
    expect((await look(24 * hour)).removed).toBe(2);
    expect([...engine.images]).toEqual(['app:2']);
    await pull('app:4');
    await look();
    await pull('app:5');
    later(10_000);
    await look();
    engine.removeImage = async (...args) => {
      await end();
      return removeImage(...args);
    };
    expect((await look(24 * hour)).removed).toBe(1);
    expect([...engine.images]).toEqual(['app:2', 'app:5']);
  });

  test('the engine says that it was tagged since, or has more names by now', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull('app:1');
    await pull('app:2');
    await look();
    const inspectImage = engine.inspectImage.bind(engine);
    engine.inspectImage = async (reference, abort) => {
      const found = await inspectImage(reference, abort);
      if (reference === imageId('app:2')) return { ...found, RepoTags: ['app:2', 'hers:2'] } as typeof found;
      return {
        ...found,
        Metadata: { LastTagTime: new Date(Date.now() + hour).toISOString() },
      } as typeof found;
    };
    expect((await look(24 * hour)).removed).toBe(0);
    expect(engine.calls).not.toContain('removeImage');
    expect(records(engine)).toEqual(['docker.io/library/app:2']);
  });

  test('what is written down of it can not be dropped, for somebody has mounted that', async () => {
    const engine = memoryEngine();
    const { pull, look } = await operator(engine);
    await pull('app:1');
    const [note] = engine.volumes.keys();
    const HostConfig = { Binds: [`${note}:/note:rw`] };
    await engine.createContainer('hers', { Image: 'app:1', HostConfig }, signal);
    expect(await look()).toEqual(some({ others: 1 }));
    // As if it were made of something else.
    for (const { body } of engine.containers.values()) Object.assign(body, { Image: 'gone:1' });
    expect(await look(24 * hour)).toEqual(some({ others: 1 }));
    expect(await look(24 * hour)).toEqual(some({ others: 1 }));
    expect(records(engine)).toEqual(['docker.io/library/app:1']);
  });

  test('another instance has pulled it', async () => {
    const engine = memoryEngine();
    const others = { ...ownership.owner, instance: 'other' };
    const { pull } = await operator(engine, { ownership: ownershipOf(others, 'docker', 'landlord') });
    await pull('app:1');
    expect(await kept(() => undefined, engine)).toEqual(['app:1']);
  });

  test('what is written down is lost', async () => {
    const all = await kept(async (engine, { pull }) => {
      await pull('app:1');
      engine.volumes.clear();
    });
    expect(all).toEqual(['app:1']);
  });

  test('what was there can not be told, or what the pull has brought', async () => {
    const all = await kept(async (engine, { pull }) => {
      const listImages = engine.listImages.bind(engine);
      const createVolume = engine.createVolume.bind(engine);
      engine.listImages = () => Promise.reject(new Error('busy'));
      await pull('app:1');
      engine.listImages = listImages;
      engine.createVolume = () => Promise.reject(new Error('full'));
      await pull('app:2');
      engine.createVolume = createVolume;
    });
    expect(all).toEqual(['app:1', 'app:2']);
  });
});

test('a record whose image is gone is dropped, and not while the image is being pulled', async () => {
  const engine = memoryEngine();
  const { gc, pull, look } = await operator(engine);
  await pull('app:1');
  engine.images.clear();
  await gc.collect(anyPermit, signal);
  expect(records(engine)).toEqual(['docker.io/library/app:1']);
  await look();
  expect(records(engine)).toEqual([]);
});
