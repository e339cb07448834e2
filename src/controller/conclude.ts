import { apiVersion, kind } from '../api/names.ts';
import { plainText } from '../api/plain-text.ts';
import type { TenantStatus } from '../api/status.ts';
import { replicasOf } from '../api/tenant.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import { jsonEqual } from '../kube/client/merge-patch.ts';
import type { ProcessResult } from '../kube/queue/work-queue.ts';
import { note, requestedAt } from './pass.ts';
import type { Outcome, Pass, Verdict } from './pass.ts';
import { deadlineMs, standingAfter } from './rollout/standing.ts';
import { contactOf } from './status/contact.ts';
import { shownForMs } from './status/lost-data.ts';
import { repeatWaitMs } from './status/repeats.ts';
import { requeue } from './status/requeue.ts';
import { isProgressOnly } from './status/status-debounce.ts';
import { summarise } from './status/summarise.ts';
import { transitionEvents } from './status/transition-events.ts';
import { noteRepair, noteWhereabouts } from './tenant-memory.ts';

/** The end of a pass: the status, if it says anything new, then the Events, and when to look again. */
export async function conclude(pass: Pass, found: Outcome): Promise<ProcessResult> {
  const { deps, memory } = pass;
  const { outcome, countsForMs, quiet } = contactOf(pass, found);
  if (countsForMs === 0) forgetLook(pass);
  else if (countsForMs !== undefined) deps.lookAgainWithin(keyOf(pass.tenant), countsForMs);
  const result = requeue(outcome);
  if (quiet) return result;
  logDefect(pass, outcome.verdict);
  const { repaired, repair } = outcome;
  const verdict = shownVerdict(outcome.verdict, countsForMs);
  followRollout(pass, verdict);
  if (isAnswered(verdict)) note(pass, { lastHandledReconcileAt: requestedAt(pass) });
  const status = withSecretsOf(pass.tenant.status, summarise({ ...summaryOf(pass), verdict }));
  const lostForMs = shownForMs(status, deps.now());
  if (lostForMs !== undefined) deps.lookAgainWithin(keyOf(pass.tenant), lostForMs);
  const repeatMs = repeatWaitMs(pass, status);
  if (repeatMs > 0) deps.lookAgainWithin(keyOf(pass.tenant), repeatMs);
  else if (!isProgressOnly(pass, status, result.requeueAfterMs)) {
    const previous = pass.tenant.status;
    await writeStatus(pass, status);
    const events = transitionEvents(previous, status, { repaired, readyGeneration: memory.readyGeneration });
    record(pass, events);
    if (events.length > 0) logDetails(pass, verdict);
  }
  if (repair !== undefined) noteRepair(memory, repair, deps.now().getTime());
  if (verdict.kind === 'ready' && verdict.held === undefined) noteReady(pass, repair !== undefined);
  return result;
}

/** Where other versions of its Secrets are all that is new, that is not worth a write: they are read once more. */
function withSecretsOf(previous: TenantStatus | undefined, status: TenantStatus): TenantStatus {
  const { secrets: before, ...told } = previous ?? {};
  const { secrets: _now, ...telling } = status;
  return jsonEqual(told, telling) ? { ...status, secrets: before } : status;
}

/** It is looked at when its time is up, whatever else happens. */
function followRollout(pass: Pass, verdict: Verdict): void {
  const { deps, draft, specHash, tenant } = pass;
  const now = deps.now();
  const rollout = standingAfter(draft.rollout, { verdict, specHash, now });
  note(pass, { rollout });
  if (rollout?.state !== 'Updating') return;
  deps.lookAgainWithin(keyOf(tenant), Date.parse(rollout.since) + deadlineMs - now.getTime());
}

/** The words and the stack, of which the status has no more than the kind. */
function logDefect({ deps, tenant }: Pass, verdict: Verdict): void {
  const error = 'error' in verdict ? verdict.error : undefined;
  if (error?.code !== 'InternalError') return;
  deps.logger.error(
    { err: error.cause, tenant: keyOf(tenant) },
    'a pass ended in an error that it should not have',
  );
}

/** What the status may not say. */
function logDetails({ deps, tenant }: Pass, verdict: Verdict): void {
  const details = 'error' in verdict ? verdict.error?.forLog : undefined;
  if (details !== undefined) deps.logger.warn({ tenant: keyOf(tenant), details }, 'what is in its way');
}

/** While the last look counts, a suspended tenant is what it was then. */
function shownVerdict(verdict: Verdict, countsForMs: number | undefined): Verdict {
  return verdict.kind === 'suspended' && countsForMs !== 0 ? { kind: 'suspended' } : verdict;
}

/** Whether the status answers a requested reconcile, be it by a refusal. What could not be looked at is still due. */
function isAnswered(verdict: Verdict): boolean {
  if (verdict.kind === 'failed') return verdict.unseen !== true;
  return ['suspended', 'rolledBack', 'unapproved'].includes(verdict.kind);
}

function noteReady({ memory, tenant, specHash }: Pass, repaired: boolean): void {
  memory.readyGeneration = tenant.metadata.generation;
  memory.appliedHash = specHash;
  if (!repaired) memory.repair = undefined;
}

function forgetLook(pass: Pass): void {
  const { compute } = pass.draft;
  if (compute !== undefined) note(pass, { compute: { ...compute, state: 'unknown', health: 'unknown' } });
}

export async function writeStatus(pass: Pass, status: TenantStatus): Promise<void> {
  const { deps, memory, tenant, signal } = pass;
  noteWhereabouts(memory, status);
  const at = deps.now().getTime();
  memory.lastWrite = { status, at };
  if (!jsonEqual(tenant.status?.compute?.endpoints, status.compute?.endpoints)) memory.endpointsSince = at;
  pass.tenant = await deps.writer.writeStatus(tenant, status, signal);
  const kept = deps.tenantOf(keyOf(tenant))?.status;
  if (kept === undefined || !jsonEqual(kept, status)) return;
  // One copy for all who remember it.
  memory.lastWrite = { status: kept, at };
  memory.soundStatus = kept;
  noteWhereabouts(memory, kept);
}

export function summaryOf({ tenant, draft, deps }: Pass) {
  const { status: previous, metadata } = tenant;
  const isScaled = replicasOf(tenant) !== undefined;
  return { previous, draft, generation: metadata.generation, isScaled, now: deps.now() };
}

/** As Events and in the log. */
export function record({ deps, tenant, draft }: Pass, events: ReturnType<typeof transitionEvents>): void {
  const { name, namespace, uid, resourceVersion } = tenant.metadata;
  const silent = deps.providers.get(draft.computeProvider ?? '')?.definition.durable === false;
  for (const { note: text, ...rest } of events) {
    const event = { ...rest, note: plainText(text) };
    const level = event.type === 'Normal' ? 'info' : 'warn';
    deps.logger[level]({ tenant: keyOf(tenant), reason: event.reason }, event.note);
    // What was not really made is no news; what failed is.
    if (silent && event.type === 'Normal') continue;
    deps.events.emit({ regarding: { apiVersion, kind, name, namespace, uid, resourceVersion }, ...event });
  }
}
