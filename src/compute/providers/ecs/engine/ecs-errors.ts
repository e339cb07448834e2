import { ComputeError } from '../../../errors.ts';
import { stableText } from '../../../observation/stable-text.ts';
import type { TextRule } from '../../../observation/stable-text.ts';
import { codeOf, faultOf, httpStatusOf, nameOf } from './ecs-fault.ts';
import type { EcsFault } from './ecs-fault.ts';

/**
 * What the failures of AWS mean, in words. Pure; each message stays the same as long as the trouble does, because it
 * stands in the Tenant's status: no request ids, session names, durations or times.
 */

/** Whose answer it was that failed. */
export interface CallSite {
  /** `ecs:CreateService`, as IAM calls it. */
  readonly action: string;
  readonly region: string;
  /** Role that the call was made with; absent: the operator's own credentials. */
  readonly roleArn?: string;
  /** Origin of an endpoint that is not AWS' own: http://127.0.0.1:4566. */
  readonly endpoint?: string;
}

/** Trouble on the way to the credentials of a role, not of the call that needed them. */
export class CredentialsTrouble extends Error {
  override readonly name = 'CredentialsTrouble';
  readonly roleArn: string;

  constructor(roleArn: string, cause: unknown) {
    super(`no credentials of ${roleArn}`, { cause });
    this.roleArn = roleArn;
  }
}

/** Everything but refusals, which callers decide on. Undefined for those. */
export function troubleError(fault: EcsFault, site: CallSite, error: unknown): ComputeError | undefined {
  switch (fault.kind) {
    case 'throttled':
      return throttledError(site, fault.retryAfterMs, error);
    case 'credentials':
      return new ComputeError('AccessDenied', badCredentials(site, error), { cause: error });
    case 'denied':
      return new ComputeError('AccessDenied', denied(site, error), { cause: error });
    case 'unavailable':
      return new ComputeError('ProviderUnavailable', unavailable(site, error), { cause: error });
    case 'refused':
      break;
  }
  return undefined;
}

/** `retryAfterMs`: by AWS' own word; else 5 to 15 s, spread so that a throttled fleet does not come back at once. */
export function throttledError(site: CallSite, retryAfterMs?: number, cause?: unknown): ComputeError {
  const afterMs = (retryAfterMs ?? 5_000) + Math.random() * 10_000;
  const message = `${siteName(site)} throttles ${site.action}: Landlord calls more slowly and tries again`;
  return new ComputeError('Throttled', message, { retryAfterMs: Math.round(afterMs), cause });
}

/** Calls of this operator that wait for their turn are so many that another one is put off. */
export function putOffError(site: CallSite, waitMs: number): ComputeError {
  const message = `Calls of ${site.action} to ${siteName(site)} are kept below the account's limits, and many wait already`;
  const retryAfterMs = Math.round(waitMs / 2 + (Math.random() * waitMs) / 2);
  return new ComputeError('Throttled', message, { retryAfterMs });
}

/** A call that was given up by the operator itself. */
export function abortedCall(site: CallSite, cause: unknown): ComputeError {
  return new ComputeError(
    'ProviderUnavailable',
    `A call of ${site.action} to ${siteName(site)} was given up`,
    {
      cause,
    },
  );
}

/** AWS took the request, or the connection, and never came to an end with it. */
export function silentAws(site: CallSite): ComputeError {
  const message = `${siteName(site)} does not answer ${site.action} in time: is it overloaded, or a firewall in between?`;
  return new ComputeError('ProviderUnavailable', message);
}

/** `error` says how large it is. */
export function largeAnswer(site: CallSite, error: Error): ComputeError {
  const message = `${siteName(site)} answers ${site.action} with ${error.message}`;
  return new ComputeError('ProviderUnavailable', message);
}

/** The role could not be assumed, for whatever reason. */
export function assumeRoleError(region: string, { roleArn, cause }: CredentialsTrouble): ComputeError {
  const sts: CallSite = { action: 'sts:AssumeRole', region };
  const fault = faultOf(cause);
  const refused = new ComputeError('AccessDenied', `Role ${roleArn} can't be assumed: ${awsText(cause)}`, {
    cause,
  });
  if (fault.kind === 'denied') {
    const mend =
      "let its trust policy name the operator's own role, with the external_id of policy.ecs.allowed_roles if it " +
      "asks for one, and let the operator's own role have sts:AssumeRole on it";
    return new ComputeError('AccessDenied', `Role ${roleArn} can't be assumed: ${mend}`, { cause });
  }
  return troubleError(fault, sts, cause) ?? refused;
}

/** Where it is not IAM's prefix in capitals. */
const serviceNames: Readonly<Record<string, string>> = {
  'application-autoscaling': 'Application Auto Scaling',
  elasticloadbalancing: 'Elastic Load Balancing',
  secretsmanager: 'Secrets Manager',
};

/** `ECS in us-west-2`, for people. */
export function siteName({ action, region, endpoint }: CallSite): string {
  const prefix = action.split(':')[0] ?? '';
  const service = serviceNames[prefix] ?? prefix.toUpperCase();
  return endpoint === undefined ? `${service} in ${region}` : `${service} in ${region} at ${endpoint}`;
}

function who({ roleArn }: CallSite): string {
  return roleArn === undefined ? "the operator's own credentials" : `role ${roleArn}`;
}

/** AWS names the principal with its session, which may differ from one refresh to the next: left out. */
function denied(site: CallSite, error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  // The refused action need not be the call: CreateService with tags also wants ecs:TagResource and iam:PassRole.
  const action = /perform:? ([a-z0-9-]+:\w+)/i.exec(text)?.[1] ?? site.action;
  const resource = /on resource:? "?(arn:[^\s"]+)/i.exec(text)?.[1];
  const on = resource === undefined ? '' : ` on ${resource}`;
  const [, reasons = ''] = text.split('because ');
  const why = /^(no [a-z -]+ allows|[a-z -]*explicit deny)/i.exec(reasons)?.[1];
  const because = why === undefined ? '' : ` (${why})`;
  return `${siteName(site)} denies ${action}${on} to ${who(site)}${because}: allow ${action} in its IAM policy`;
}

function badCredentials(site: CallSite, error: unknown): string {
  const name = nameOf(error);
  const says = `${siteName(site)} does not take the credentials of ${who(site)} for ${site.action}`;
  if (/Provider/.test(name)) {
    return (
      `No AWS credentials for ${site.action} in ${site.region}: give the operator a role (IRSA or EKS Pod Identity), ` +
      'a profile or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
    );
  }
  if (/Expired/.test(name)) return `${says} (${name}): they expired; give the operator fresh ones`;
  if (/Signature/.test(name)) return `${says} (${name}): is the secret key right, and the operator's clock?`;
  return `${says} (${name}): are they of this account, and still valid?`;
}

function unavailable(site: CallSite, error: unknown): string {
  const at = siteName(site);
  const status = httpStatusOf(error);
  const code = codeOf(error);
  if (status !== undefined && status >= 500) return `${at} answered ${site.action} with ${status}`;
  if (error instanceof SyntaxError || status !== undefined) {
    return code === undefined
      ? `What answers for ${at} is no AWS API: is the endpoint right, or a proxy in between?`
      : `${at} broke the connection before its answer to ${site.action} was complete (${code})`;
  }
  if (nameOf(error) === 'TimeoutError' && code !== 'ECONNRESET') return silentAws(site).message;
  return `${at} ${connectionTrouble(code, error)}`;
}

function connectionTrouble(code: string | undefined, error: unknown): string {
  switch (code) {
    case undefined:
      return `can't be reached: ${awsText(error)}`;
    case 'ECONNREFUSED':
      return 'does not answer (ECONNREFUSED): is the endpoint right, and up?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `can't be resolved (${code}): is the region or the endpoint right, and DNS working?`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return `broke the connection (${code})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `can't be reached (${code}): is the way to it open?`;
    default:
      return /CERT|SSL|TLS|SIGNATURE|^EPROTO$/.test(code)
        ? `can't be reached: TLS failed (${code})`
        : `can't be reached (${code})`;
  }
}

/** What differs between two tries of the same thing: request ids, session names, ids, encoded messages. */
const awsTextRules: readonly TextRule[] = [
  [/[,;]? ?\(?\bRequest ?ID:? ?[\w-]+\)?/gi, ''],
  [/(assumed-role\/[^/\s]+)\/[^\s:]+/g, '$1'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '…'],
  [/encoded authorization failure message: \S+/gi, ''],
];

const awsTextLength = 500;

/** What AWS says: the first line, without what differs between two tries of the same thing. */
export function awsText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return stableText(text.split('\n')[0] ?? '', awsTextRules, awsTextLength);
}
