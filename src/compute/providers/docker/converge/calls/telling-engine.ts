import { EngineRefusal } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EngineView } from '../../watch/engine-view.ts';

type Call = (id: string, ...rest: readonly unknown[]) => Promise<unknown>;

/** What they leave behind, only another look can tell. */
const changes: ReadonlySet<string | symbol> = new Set([
  'startContainer',
  'unpauseContainer',
  'stopContainer',
  'updateContainer',
  'connectContainer',
  'disconnectContainer',
]);

/**
 * The engine, with what calls about one tenant's containers have come to told to the view: what an answer says needs no look,
 * and without an answer nobody knows.
 */
export function tellingEngine(
  engine: Engine,
  view: Pick<EngineView, 'snapshot' | 'noteMade' | 'noteRenamed'>,
  tenantId: string,
): Engine {
  const { snapshot } = view;
  const told = async <T>(id: string | undefined, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      // A refusal is an answer: nothing has come into being.
      if (!(error instanceof EngineRefusal)) snapshot.touch(tenantId);
      else if (id !== undefined) snapshot.touch(tenantId, id);
      throw error;
    }
  };
  const changing =
    (call: Call): Call =>
    async (id, ...rest) => {
      await told(id, call.call(engine, id, ...rest));
      snapshot.touch(tenantId, id);
    };
  const telling: Pick<Engine, 'createContainer' | 'renameContainer' | 'removeContainer'> = {
    async createContainer(name, body, signal) {
      const answer = await told(undefined, engine.createContainer(name, body, signal));
      if (answer === 'name-taken') snapshot.touch(tenantId);
      else view.noteMade(tenantId, { id: answer.id, name, body });
      return answer;
    },
    async renameContainer(id, name, signal) {
      const answer = await told(id, engine.renameContainer(id, name, signal));
      if (answer === 'name-taken') snapshot.touch(tenantId);
      else view.noteRenamed(tenantId, id, name);
      return answer;
    },
    async removeContainer(id, consent, signal) {
      await told(id, engine.removeContainer(id, consent, signal));
      snapshot.put(tenantId, id, undefined);
    },
  };
  return new Proxy(engine, {
    get(target, key) {
      if (key in telling) return Reflect.get(telling, key) as unknown;
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function') return member;
      return changes.has(key) ? changing(member as Call) : member.bind(target);
    },
  });
}
