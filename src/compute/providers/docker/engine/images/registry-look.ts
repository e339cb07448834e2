import { withDeadline } from '../../../../../async/deadline.ts';
import { ComputeError } from '../../../../errors.ts';
import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { RegistryAuth } from '../engine.ts';
import type { EngineConnection } from '../engine-connection.ts';
import { readAnswer } from '../answers/answer.ts';
import { abortedCall, connectionFailure } from '../engine-errors.ts';
import { pullFailure, silentRegistry } from './pull-failure.ts';

export interface RegistryLook {
  readonly reference: string;
  readonly auth: RegistryAuth | undefined;
  /** Milliseconds that the registry may take. */
  readonly timeoutMs: number;
}

/** See `Engine.askRegistry`. On a connection of its own: a slow registry holds up nobody else's calls. */
export async function askRegistry(
  connection: EngineConnection,
  { reference, auth, timeoutMs }: RegistryLook,
  signal: AbortSignal,
): Promise<string | undefined> {
  const parsed = parseImageReference(reference);
  const { host } = connection;
  const subject = { reference, parsed, host, hasCredentials: auth !== undefined, aim: 'used by this tenant' };
  // The engine wants the slashes of an image's name as they are.
  const name = encodeURIComponent(pinnedImage(parsed)).replaceAll('%2F', '/');
  const request = { method: 'GET', path: `/distribution/${name}/json`, registryAuth: auth } as const;
  const deadline = {
    timeoutMs,
    caller: signal,
    late: () => silentRegistry(subject),
    abandoned: (reason: unknown) => abortedCall(host, reason),
  };
  try {
    const answer = await withDeadline(deadline, async (inner) =>
      readAnswer(await connection.open(request, inner), { host, ...request }),
    );
    if (answer.status !== 200) throw pullFailure(subject, answer);
    return digestOf(answer.body);
  } catch (error) {
    throw error instanceof ComputeError ? error : connectionFailure(host, error);
  }
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Distribution */
function digestOf(body: unknown): string | undefined {
  const { Descriptor } = (body ?? {}) as { readonly Descriptor?: { readonly digest?: unknown } };
  return typeof Descriptor?.digest === 'string' ? Descriptor.digest : undefined;
}
