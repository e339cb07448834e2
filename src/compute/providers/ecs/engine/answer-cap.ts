import { Readable, Transform, pipeline } from 'node:stream';
import type { ECSClient } from '@aws-sdk/client-ecs';

/** 32 MiB: a full page of descriptions has about one. */
const maxAnswerBytes = 33_554_432;

/** An answer that was not read to its end. */
export class AnswerOverCap extends Error {
  /** Without it, the SDK adds words of its own to the message. */
  readonly $metadata = {};
}

/** A client of any service of AWS. */
export interface Capped {
  readonly middlewareStack: object;
}

/** Has each answer of the client read up to the cap alone: the call whose answer is over it fails with AnswerOverCap. */
export function capAnswers(client: Capped): void {
  const { middlewareStack } = client as Pick<ECSClient, 'middlewareStack'>;
  middlewareStack.add(
    (next) => async (request) => {
      const answer = await next(request);
      const response = (answer.response ?? {}) as { body?: unknown };
      if (response.body instanceof Readable) response.body = capped(response.body);
      return answer;
    },
    // Next to the connection, before anything reads the body.
    { step: 'deserialize', priority: 'low', name: 'answerCap' },
  );
}

function capped(body: Readable): Readable {
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) done(new AnswerOverCap('more than 32 MiB, which is not read'));
      else done(null, chunk);
    },
  });
  // Whoever reads is told of its failure, too; the connection goes with it.
  pipeline(body, counting, () => undefined);
  return counting;
}
