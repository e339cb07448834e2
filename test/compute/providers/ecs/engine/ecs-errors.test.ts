import { describe, expect, test } from 'vitest';
import {
  assumeRoleError,
  awsText,
  CredentialsTrouble,
  putOffError,
  throttledError,
  troubleError,
} from '../../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import type { CallSite } from '../../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import { faultOf } from '../../../../../src/compute/providers/ecs/engine/ecs-fault.ts';
import { EcsRefusal, refusalError } from '../../../../../src/compute/providers/ecs/engine/ecs-refusal.ts';
import { awsError } from '../aws-error.ts';

const site: CallSite = { action: 'ecs:CreateService', region: 'us-west-2' };
const role = 'arn:aws:iam::123456789012:role/tenants';

function told(error: unknown, at: CallSite = site): string {
  const trouble = troubleError(faultOf(error), at, error);
  return trouble === undefined ? 'refused' : `${trouble.code}: ${trouble.message}`;
}

describe('a denial', () => {
  const principal = 'User: arn:aws:sts::1:assumed-role/tenants/session-7 is not authorized to perform:';
  test.each<[message: string, at: CallSite, told: string]>([
    [
      `${principal} iam:PassRole on resource: arn:aws:iam::1:role/x because no identity-based policy allows the iam:PassRole action`,
      site,
      "ECS in us-west-2 denies iam:PassRole on arn:aws:iam::1:role/x to the operator's own credentials (no identity-based policy allows): allow iam:PassRole in its IAM policy",
    ],
    [
      `${principal} ecs:CreateService with an explicit deny in an identity-based policy`,
      { ...site, roleArn: role, endpoint: 'http://127.0.0.1:4566' },
      `ECS in us-west-2 at http://127.0.0.1:4566 denies ecs:CreateService to role ${role}: allow ecs:CreateService in its IAM policy`,
    ],
    [
      'Forbidden',
      site,
      "ECS in us-west-2 denies ecs:CreateService to the operator's own credentials: allow ecs:CreateService in its IAM policy",
    ],
    [
      `${principal} cloudwatch:PutMetricAlarm because no identity-based policy allows it`,
      { ...site, action: 'application-autoscaling:PutScalingPolicy' },
      "Application Auto Scaling in us-west-2 denies cloudwatch:PutMetricAlarm to the operator's own credentials (no identity-based policy allows): allow cloudwatch:PutMetricAlarm in its IAM policy",
    ],
  ])('%s names the action, the resource, who and why', (message, at, expected) => {
    expect(told(awsError('AccessDeniedException', { message }), at)).toBe(`AccessDenied: ${expected}`);
  });
});

describe('credentials that are not taken', () => {
  test.each([
    ['ExpiredToken', 'they expired; give the operator fresh ones'],
    ['SignatureDoesNotMatch', "is the secret key right, and the operator's clock?"],
    ['InvalidClientTokenId', 'are they of this account, and still valid?'],
  ])('%s: %s', (name, mend) => {
    expect(told(awsError(name, { status: 403 }))).toBe(
      "AccessDenied: ECS in us-west-2 does not take the credentials of the operator's own credentials for " +
        `ecs:CreateService (${name}): ${mend}`,
    );
  });

  test('because there are none say where they could come from', () => {
    expect(told(awsError('CredentialsProviderError'))).toMatch(
      /^AccessDenied: No AWS credentials for ecs:CreateService in us-west-2: give the operator a role \(IRSA /,
    );
  });
});

describe('an ECS that does not answer', () => {
  const at = 'ECS in us-west-2';
  test.each<[what: string, error: unknown, told: string]>([
    ['500', awsError('ServerException', { status: 500 }), `${at} answered ecs:CreateService with 500`],
    [
      'no JSON',
      new SyntaxError('Unexpected token <'),
      `What answers for ${at} is no AWS API: is the endpoint right, or a proxy in between?`,
    ],
    [
      'a status and no more',
      awsError('Unknown', { status: 302 }),
      `What answers for ${at} is no AWS API: is the endpoint right, or a proxy in between?`,
    ],
    [
      'half an answer',
      awsError('Error', { status: 200, code: 'ECONNRESET' }),
      `${at} broke the connection before its answer to ecs:CreateService was complete (ECONNRESET)`,
    ],
    [
      'silence',
      awsError('TimeoutError'),
      `${at} does not answer ecs:CreateService in time: is it overloaded, or a firewall in between?`,
    ],
    [
      'a reset that the SDK calls a timeout',
      awsError('TimeoutError', { code: 'ECONNRESET' }),
      `${at} broke the connection (ECONNRESET)`,
    ],
    ['an unknown trouble', awsError('Error', { message: 'odd' }), `${at} can't be reached: odd`],
    [
      'ECONNREFUSED',
      awsError('Error', { code: 'ECONNREFUSED' }),
      `${at} does not answer (ECONNREFUSED): is the endpoint right, and up?`,
    ],
    [
      'ENOTFOUND',
      awsError('Error', { code: 'ENOTFOUND' }),
      `${at} can't be resolved (ENOTFOUND): is the region or the endpoint right, and DNS working?`,
    ],
    ['EPIPE', awsError('Error', { code: 'EPIPE' }), `${at} broke the connection (EPIPE)`],
    [
      'ETIMEDOUT',
      awsError('Error', { code: 'ETIMEDOUT' }),
      `${at} can't be reached (ETIMEDOUT): is the way to it open?`,
    ],
    [
      'a bad certificate',
      awsError('Error', { code: 'CERT_HAS_EXPIRED' }),
      `${at} can't be reached: TLS failed (CERT_HAS_EXPIRED)`,
    ],
    ['another code', awsError('Error', { code: 'EMFILE' }), `${at} can't be reached (EMFILE)`],
  ])('but with %s is told so', (_what, error, message) => {
    expect(told(error)).toBe(`ProviderUnavailable: ${message}`);
  });
});

describe('a throttle', () => {
  test.each([
    [undefined, 5_000],
    [40_000, 40_000],
  ])('that asks for %s ms is kept away from for %i ms at least and 10 s more at most', (asked, least) => {
    const { code, retryAfterMs = 0 } = throttledError(site, asked);
    expect(code).toBe('Throttled');
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(least + 10_000);
  });

  test('of the operator’s own making ends within the time that it waited for', () => {
    const { code, retryAfterMs = 0 } = putOffError(site, 30_000);
    expect(code).toBe('Throttled');
    expect(retryAfterMs).toBeGreaterThanOrEqual(15_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
  });
});

describe('a role that can’t be assumed', () => {
  const told = (cause: unknown): string => {
    const { code, message } = assumeRoleError('us-west-2', new CredentialsTrouble(role, cause));
    return `${code}: ${message}`;
  };
  test.each<[what: string, cause: unknown, told: RegExp]>([
    [
      'STS denies it',
      awsError('AccessDenied', { status: 403 }),
      /^AccessDenied: Role \S+ can't be assumed: let its trust policy name the operator's own role, with the external_id/,
    ],
    [
      'STS refuses it',
      awsError('ValidationError', { status: 400, message: 'DurationSeconds exceeds the MaxSessionDuration' }),
      /^AccessDenied: Role \S+role\/tenants can't be assumed: DurationSeconds exceeds the MaxSessionDuration$/,
    ],
    [
      'STS throttles',
      awsError('Throttling', { status: 400 }),
      /^Throttled: STS in us-west-2 throttles sts:AssumeRole:/,
    ],
    [
      'STS is away',
      awsError('Error', { code: 'ECONNREFUSED' }),
      /^ProviderUnavailable: STS in us-west-2 does not answer \(ECONNREFUSED\)/,
    ],
  ])('because %s is told so', (_what, cause, expected) => {
    expect(told(cause)).toMatch(expected);
  });
});

describe('what ECS says', () => {
  test.each([
    ['Bad (Request ID: 8c1c6f3e-9a1e-4c0e-bb0e-0a1b2c3d4e5f)', 'Bad'],
    ['Bad; RequestId: 7f', 'Bad'],
    ['first\nsecond', 'first'],
    ['by arn:aws:sts::1:assumed-role/x/session-1 on', 'by arn:aws:sts::1:assumed-role/x on'],
    ['no. Encoded authorization failure message: AbCdEf', 'no.'],
    ['deployment 8c1c6f3e-9a1e-4c0e-bb0e-0a1b2c3d4e5f is', 'deployment … is'],
    ['x'.repeat(600), 'x'.repeat(500)],
  ])('is told without what differs between two tries: %s', (text, stable) => {
    expect(awsText(new Error(text))).toBe(stable);
  });

  test('is told where it is no error either', () => {
    expect(awsText('odd')).toBe('odd');
  });
});

describe('a refusal', () => {
  test.each<[name: string, text: string, kind: string, code: string]>([
    ['ClusterNotFoundException', 'Cluster not found.', 'cluster-gone', 'UpdateFailed'],
    ['ClientException', 'Cluster was not active', 'cluster-gone', 'UpdateFailed'],
    ['ClientException', 'The cluster is inactive.', 'cluster-gone', 'UpdateFailed'],
    ['ServiceNotFoundException', '', 'missing', 'UpdateFailed'],
    ['ServiceNotActiveException', '', 'inactive', 'UpdateFailed'],
    ['LimitExceededException', '', 'quota', 'UpdateFailed'],
    ['ConflictException', '', 'busy', 'UpdateFailed'],
    ['ClientException', 'Creation of service was not idempotent.', 'exists', 'UpdateFailed'],
    ['ClientException', 'a service that is still Draining', 'draining', 'UpdateFailed'],
    ['ClientException', 'Unable to describe task definition.', 'no-task-definition', 'InvalidSpec'],
    ['InvalidParameterException', 'unable to assume the role', 'no-role', 'AccessDenied'],
    ['ServerlessException', 'you exceeded the quota', 'quota', 'UpdateFailed'],
    ['PlatformUnknownException', '', 'invalid', 'InvalidSpec'],
    ['PlatformTaskDefinitionIncompatibilityException', '', 'invalid', 'InvalidSpec'],
    ['UnsupportedFeatureException', '', 'invalid', 'InvalidSpec'],
    ['NamespaceNotFoundException', '', 'invalid', 'InvalidSpec'],
    ['ServiceQuotaExceededException', '', 'quota', 'UpdateFailed'],
    ['ResourceInUseException', '', 'busy', 'UpdateFailed'],
    ['UpdateInProgressException', '', 'busy', 'UpdateFailed'],
    [
      'ClientException',
      'Too many concurrent attempts to create a new revision of the specified family.',
      'busy',
      'UpdateFailed',
    ],
    ['ClientException', 'Rate exceeded', 'busy', 'UpdateFailed'],
    ['InvalidParameterException', 'The capacity provider has an update in progress.', 'busy', 'UpdateFailed'],
    ['InvalidParameterException', 'The resource is currently being deleted.', 'busy', 'UpdateFailed'],
    ['ClientException', 'Request can not be served. Please try again later.', 'busy', 'UpdateFailed'],
    ['InvalidParameterException', 'subnet-1 does not exist', 'invalid', 'InvalidSpec'],
    ['ClientException', 'Invalid request provided: cpu must be 256 or more', 'invalid', 'InvalidSpec'],
    ['SomethingNewException', 'What?', 'other', 'UpdateFailed'],
  ])('%s %j is %s, and so %s', (name, text, kind, code) => {
    const refusal = new EcsRefusal(awsError(name, { status: 400, message: text }), site);
    expect([refusal.kind, refusalError(refusal, 'UpdateFailed').code]).toEqual([kind, code]);
  });

  test.each([
    ['Bad subnet', 'ECS in us-west-2 refuses ecs:CreateService: Bad subnet'],
    ['', 'ECS in us-west-2 refuses ecs:CreateService: InvalidParameterException'],
  ])('that says %j is told in its words, or by its name', (text, message) => {
    const refusal = new EcsRefusal(
      awsError('InvalidParameterException', { status: 400, message: text }),
      site,
    );
    expect(refusalError(refusal, 'UpdateFailed').message).toBe(message);
  });
});
