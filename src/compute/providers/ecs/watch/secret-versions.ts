import { ComputeError } from '../../../errors.ts';
import type { OnChange } from '../../../provider.ts';
import { secretSource } from '../address/secret-source.ts';
import { serviceKey } from '../address/service-target.ts';
import type { EcsScope } from '../address/service-target.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import type { DesiredService } from '../state/desired.ts';
import { readMark } from '../state/marks/applied-mark.ts';
import { isRotated, isUnmarked, secretsMark } from '../state/marks/secrets-mark.ts';
import { tagMap } from '../state/marks/tags.ts';
import { createAnswersByRole } from './answers-by-role.ts';
import type { AnswersByRole } from './answers-by-role.ts';
import { serviceGroups } from './service-groups.ts';
import type { ServiceView } from './service-view.ts';

/** Which versions the secrets of services have. Of a service that asks for none, nobody is asked. */
export interface SecretVersions {
  /**
   * `desired` with the versions that its secrets have now, which are asked for unless that was done a moment ago. Rejects
   * as `SecretReads.secretVersions` does.
   */
  asked(desired: DesiredService, signal: AbortSignal): Promise<DesiredService>;
  /** The same for a look, which fails for none of this: where they can't be asked for, they are as they were seen last. */
  looked(
    desired: DesiredService,
    how: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<DesiredService>;
  /** What a person should know of it. */
  notes(desired: DesiredService): readonly string[];
  /** Asks for those of all services that were looked at. Never rejects. */
  sweep(sweeping: SecretSweep, signal: AbortSignal): Promise<void>;
}

export interface SecretSweep {
  readonly onChange: OnChange;
  /** Called with the first failure. */
  readonly failed: (error: unknown) => void;
}

export interface SecretVersionsDeps {
  readonly api: Pick<EcsReads, 'secretVersions'>;
  readonly view: Pick<ServiceView, 'watched' | 'last'>;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** As long as a Secret of Kubernetes is remembered: the steps of one pass ask once, in milliseconds. */
const freshMs = 5_000;
/** References of one question of a sweep: as many as one call for parameters takes. */
const referencesAtOnce = 50;

/** What is known, by role and reference, and what could not be asked for, by service. */
interface Known {
  /** An answer that is undefined: there is no such secret. */
  readonly seen: AnswersByRole<string | undefined>;
  readonly troubles: Map<string, string>;
  readonly services: Map<string, Reading>;
}

/** What is remembered of a service. */
type Reading = Pick<DesiredService, 'target' | 'tenantId' | 'secretReferences'>;

export function createSecretVersions(deps: SecretVersionsDeps): SecretVersions {
  const known: Known = {
    seen: createAnswersByRole(freshMs),
    troubles: new Map(),
    services: new Map(),
  };
  const ask = (scope: EcsScope, references: readonly string[], asking: Asking): Promise<void> =>
    askFor(deps, known, { scope, references }, asking);
  const asked: SecretVersions['asked'] = async (desired, signal) => {
    const { secretReferences, target } = desired;
    if (secretReferences.length === 0) return desired;
    await ask(target.scope, secretReferences, { priority: 'user', signal });
    known.troubles.delete(serviceKey(target));
    return withVersions(known, desired);
  };
  return {
    asked,
    async looked(desired, { fresh, signal }) {
      const key = serviceKey(desired.target);
      if (desired.secretReferences.length === 0) {
        known.services.delete(key);
        return desired;
      }
      const { target, tenantId, secretReferences } = desired;
      known.services.set(key, { target, tenantId, secretReferences });
      if (!fresh) return withVersions(known, desired);
      try {
        return await asked(desired, signal);
      } catch (error) {
        if (!(error instanceof ComputeError) || signal.aborted) throw error;
        known.troubles.set(key, error.message);
        return withVersions(known, desired);
      }
    },
    notes: (desired) => notesOf(known, desired),
    sweep: (sweeping, signal) => sweepSecrets({ ...deps, known, ask }, sweeping, signal),
  };
}

interface Asking {
  readonly priority: 'user' | 'sweep';
  readonly signal: AbortSignal;
}

async function askFor(
  { api, now }: SecretVersionsDeps,
  { seen }: Known,
  { scope, references }: { readonly scope: EcsScope; readonly references: readonly string[] },
  { priority, signal }: Asking,
): Promise<void> {
  const askedAt = now();
  const due = seen.due(scope, references, askedAt);
  if (due.length === 0) return;
  const versions = await api.secretVersions(scope, due, priority, signal);
  for (const reference of due) seen.note(scope, reference, versions.get(reference), askedAt);
}

/** Of what names its version by itself, nothing changes. */
const pinned = 'pinned';

function withVersions(known: Known, desired: DesiredService): DesiredService {
  const secretVersions = markOf(known, desired);
  return secretVersions === undefined ? desired : { ...desired, secretVersions };
}

function markOf({ seen }: Known, reading: Reading): string | undefined {
  const { scope } = reading.target;
  return secretsMark(reading, (reference) =>
    secretSource(reference) === undefined ? pinned : seen.last(scope, reference)?.answer,
  );
}

function notesOf({ seen, troubles }: Known, { target, secretReferences }: Reading): readonly string[] {
  const unknown = 'whether its secrets were rotated is not known: ';
  const trouble = troubles.get(serviceKey(target));
  if (trouble !== undefined) return [`${unknown}${trouble}`];
  const gone = secretReferences.find((reference) => {
    const found = seen.last(target.scope, reference);
    return found !== undefined && found.answer === undefined && secretSource(reference) !== undefined;
  });
  return gone === undefined ? [] : [`${unknown}there is no ${gone}`];
}

interface Sweeping extends SecretVersionsDeps {
  readonly known: Known;
  readonly ask: (scope: EcsScope, references: readonly string[], asking: Asking) => Promise<void>;
}

/** Of each account and region some services at a time: those of people never wait for it. */
async function sweepSecrets(
  sweeping: Sweeping,
  { onChange, failed }: SecretSweep,
  signal: AbortSignal,
): Promise<void> {
  const { view, known } = sweeping;
  forgetUnwatched(sweeping);
  const failures: unknown[] = [];
  const sizeOf = ({ secretReferences }: Reading): number => secretReferences.length;
  for (const group of serviceGroups([...known.services.values()], referencesAtOnce, sizeOf)) {
    const told = group.map((reading) => notesOf(known, reading).join(' '));
    const unanswered = await sweepGroup(sweeping, group, signal);
    if (signal.aborted) return;
    failures.push(...unanswered);
    // What nobody has shown is no news: an outage of minutes is in the log.
    const isOutage = unanswered.length > 0 && !unanswered.some(isAboutOne);
    for (const [index, reading] of group.entries()) {
      const isToldAnew = !isOutage && notesOf(known, reading).join(' ') !== told[index];
      if (isToldAnew || isNews(view, reading, markOf(known, reading))) onChange(reading.tenantId);
    }
  }
  if (failures.length > 0) failed(failures[0]);
}

type Group = readonly [Reading, ...Reading[]];

/** Returns what could not be asked for. That one may not be asked about is no reason to know nothing of the others. */
async function sweepGroup(
  sweeping: Pick<Sweeping, 'known' | 'ask'>,
  group: Group,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { known, ask } = sweeping;
  const references = [...new Set(group.flatMap(({ secretReferences }) => secretReferences))];
  try {
    await ask(group[0].target.scope, references, { priority: 'sweep', signal });
  } catch (error) {
    if (signal.aborted) return [error];
    if (group.length > 1 && isAboutOne(error)) {
      const failures: unknown[] = [];
      for (const reading of group) failures.push(...(await sweepGroup(sweeping, [reading], signal)));
      return failures;
    }
    for (const { target } of group) noteTrouble(known, serviceKey(target), error);
    return [error];
  }
  for (const { target } of group) known.troubles.delete(serviceKey(target));
  return [];
}

/** Whether it may be about one secret, and the others can be asked for all the same. */
function isAboutOne(error: unknown): boolean {
  return error instanceof ComputeError && (error.code === 'AccessDenied' || error.code === 'InvalidSpec');
}

/** What no service reads any more. */
function forgetUnwatched({
  view,
  known: { services, seen, troubles },
}: Pick<Sweeping, 'view' | 'known'>): void {
  const watched = new Set(view.watched().map(({ target }) => serviceKey(target)));
  for (const key of services.keys()) if (!watched.has(key)) services.delete(key);
  for (const key of troubles.keys()) if (!services.has(key)) troubles.delete(key);
  seen.keep(
    [...services.values()].map(({ target, secretReferences }) => ({
      scope: target.scope,
      names: secretReferences,
    })),
  );
}

function noteTrouble({ troubles }: Known, key: string, error: unknown): void {
  if (error instanceof ComputeError) troubles.set(key, error.message);
}

/** Whether its tasks have read other versions than there are now, or nobody has noted which. */
function isNews(
  view: Pick<ServiceView, 'last'>,
  { target }: Reading,
  secretVersions: string | undefined,
): boolean {
  const service = view.last(target);
  if (service === undefined || secretVersions === undefined) return false;
  const mark = readMark(tagMap(service.tags));
  return isRotated({ secretVersions }, mark) || isUnmarked({ secretVersions }, mark);
}
