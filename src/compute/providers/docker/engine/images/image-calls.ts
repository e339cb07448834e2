import { ComputeError } from '../../../../errors.ts';
import { imageSieve } from '../answers/container-sieve.ts';
import type { SiftedReader } from '../answers/sifted.ts';
import type { EngineConnection } from '../engine-connection.ts';
import type { Engine } from '../engine.ts';
import { expectChange, foundBody, read } from '../expected-answers.ts';

/** See `Engine`. */
export function imageCalls(
  connection: EngineConnection,
  sifted: SiftedReader,
): Pick<Engine, 'inspectImage' | 'listImages' | 'removeImage'> {
  return {
    async inspectImage(reference, signal) {
      const path = `${pathOf(reference)}/json`;
      const answer = await connection.ask({ method: 'GET', path }, signal);
      if (answer.status === 400) {
        throw new ComputeError('InvalidSpec', `Image ${reference} is not a valid image reference`);
      }
      return foundBody(connection, answer) as Awaited<ReturnType<Engine['inspectImage']>>;
    },
    listImages: (signal) =>
      read(connection, { path: '/images/json', query: { all: true } }, signal, sifted(imageSieve)),
    async removeImage(nameOrId, _consent, signal) {
      const query = { force: false, noprune: true };
      const answer = await connection.ask({ method: 'DELETE', path: pathOf(nameOrId), query }, signal);
      if (answer.status === 409) return 'in-use';
      if (answer.status !== 404) expectChange(connection, answer, nameOrId);
      return 'removed';
    },
  };
}

/** The engine wants the slashes of an image's name as they are. */
function pathOf(nameOrId: string): string {
  return `/images/${encodeURIComponent(nameOrId).replaceAll('%2F', '/')}`;
}
