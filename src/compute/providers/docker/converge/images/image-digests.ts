import { doneWithin } from '../../../../../async/done-within.ts';
import { ComputeError } from '../../../../errors.ts';
import type { ResolvedImages } from '../../../../spec/resolved-images.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';
import type { Engine } from '../../engine/engine.ts';
import type { DesiredTenant } from '../../state/desired-tenant.ts';
import { credentialsFor, withEach } from './registry-credentials.ts';
import { createRepeatedPull } from './repeated-pull.ts';
import type { RepeatedPull } from './repeated-pull.ts';

/** What tags mean now. Each question is the registry's to answer anew: an answer serves the one who has asked, once. */
export interface ImageDigests {
  /** Rejects with why a registry does not say, until it does. */
  resolve(desired: DesiredTenant): Promise<ResolvedImages>;
  /** Forgets what was asked for a tenant. */
  forget(tenantId: string): void;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

interface Question {
  readonly look: RepeatedPull;
  digest?: string;
}

/** So long a pass waits for the answer, before it is left to come in the background. */
const briefMs = 2_000;

export function createImageDigests(
  engine: Pick<Engine, 'askRegistry'>,
  onAnswer: (tenantId: string) => void,
): ImageDigests {
  /** By tenant, then by image and credentials. */
  const asked = new Map<string, Map<string, Question>>();
  const closing = new AbortController();

  const questionOf = (tenantId: string, key: string): Question => {
    const known = asked.get(tenantId) ?? new Map<string, Question>();
    asked.set(tenantId, known);
    const look = createRepeatedPull(() => {
      if (!closing.signal.aborted) onAnswer(tenantId);
    });
    const question = known.get(key) ?? { look };
    known.set(key, question);
    return question;
  };

  const ask = async (
    desired: DesiredTenant,
    image: string,
  ): Promise<readonly [string, string | undefined]> => {
    const credentials = credentialsFor(image, desired.imagePullCredentials, desired.registries);
    const question = questionOf(desired.tenantId, `${image}\n${credentials?.identity ?? ''}`);
    if (question.digest === undefined)
      question.look.advance(async () => {
        const said = await withEach(credentials, (auth) => engine.askRegistry(image, auth, closing.signal));
        question.digest = said ?? failWithoutDigest(image);
      });
    await doneWithin(question.look.ended(), briefMs);
    return [image, question.digest];
  };

  return {
    async resolve(desired) {
      if (closing.signal.aborted)
        throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      const images = new Set(desired.containers.map(({ spec }) => spec.image));
      const tagged = [...images].filter((image) => parseImageReference(image).digest === undefined);
      const answers = await Promise.all(tagged.map(async (image) => ask(desired, image)));
      const known = answers.flatMap(([image, digest]) =>
        digest === undefined ? [] : [[image, digest] as const],
      );
      if (known.length < answers.length) return 'asking';
      asked.delete(desired.tenantId);
      return Object.fromEntries(known);
    },
    forget: (tenantId) => void asked.delete(tenantId),
    async close() {
      closing.abort();
      const all = [...asked.values()].flatMap((questions) => [...questions.values()]);
      await Promise.all(all.map(async ({ look }) => look.ended()));
    },
  };
}

function failWithoutDigest(image: string): never {
  throw new ComputeError('ImageUnavailable', `Image ${image} has no digest by the word of its registry`);
}
