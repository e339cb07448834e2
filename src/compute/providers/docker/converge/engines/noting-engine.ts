import { EngineRefusal } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EngineSnapshot } from '../../watch/engine-snapshot.ts';

type Call = (id: string, ...rest: unknown[]) => Promise<unknown>;

/** Calls that change the container whose id they are given. */
const changing: ReadonlySet<string | symbol> = new Set([
  'startContainer',
  'unpauseContainer',
  'stopContainer',
  'removeContainer',
  'updateContainer',
  'connectContainer',
  'disconnectContainer',
]);

/**
 * The engine, for the steps over one tenant: each call notes which container is to be asked for again, whatever came of it,
 * so that nobody has to ask for all. What a call has made is known by the engine's answer, before its event is heard.
 */
export function notingEngine(
  engine: Engine,
  snapshot: Pick<EngineSnapshot, 'touch' | 'touchOne' | 'removed' | 'renaming' | 'renamed'>,
  tenantId: string,
): Engine {
  const noting =
    (call: Call): Call =>
    async (id, ...rest) => {
      try {
        return await call(id, ...rest);
      } finally {
        snapshot.touchOne(tenantId, id);
      }
    };
  const creating: Engine['createContainer'] = async (...args) => {
    try {
      const made = await engine.createContainer(...args);
      // Who has the name may be the tenant's own, and nobody has heard of it yet.
      if (made === 'name-taken') snapshot.touch(tenantId);
      else snapshot.touchOne(tenantId, made.id);
      return made;
    } catch (error) {
      if (!(error instanceof EngineRefusal)) snapshot.touch(tenantId);
      throw error;
    }
  };
  const renaming: Engine['renameContainer'] = async (id, name, signal) => {
    snapshot.renaming(id, name);
    try {
      const answer = await engine.renameContainer(id, name, signal);
      if (answer === 'name-taken') snapshot.touch(tenantId);
      else snapshot.renamed(tenantId, id, name);
      return answer;
    } catch (error) {
      snapshot.touchOne(tenantId, id);
      throw error;
    } finally {
      snapshot.renaming(id, undefined);
    }
  };
  const removing: Engine['removeContainer'] = async (id, consent, signal) => {
    const answer = await engine.removeContainer(id, consent, signal);
    if (answer !== 'removing') snapshot.removed(tenantId, id);
    return answer;
  };
  return new Proxy(engine, {
    get(target, key) {
      if (key === 'createContainer') return creating;
      if (key === 'renameContainer') return renaming;
      const member = key === 'removeContainer' ? removing : (Reflect.get(target, key) as unknown);
      if (typeof member !== 'function') return member;
      return changing.has(key) ? noting(member.bind(target) as Call) : member.bind(target);
    },
  });
}
