import type { EngineConnection } from '../engine-connection.ts';
import type { Engine } from '../engine.ts';
import { expectChange } from '../expected-answers.ts';

/** Looks at, and puts, what is in a container or in what is mounted there. */
export function fileCalls(connection: EngineConnection): Pick<Engine, 'hasPath' | 'putFiles'> {
  const archive = (id: string): string => `/containers/${encodeURIComponent(id)}/archive`;
  return {
    hasPath: async (id, path, signal) => {
      const request = { method: 'HEAD', path: archive(id), query: { path } } as const;
      const answer = await connection.ask(request, signal);
      if (answer.status !== 404) expectChange(connection, answer, id);
      return answer.status !== 404;
    },
    putFiles: async (id, path, files, signal) => {
      const request = { method: 'PUT', path: archive(id), query: { path }, archive: files } as const;
      expectChange(connection, await connection.ask(request, signal), id);
    },
  };
}
