import { onAbort } from '../../../../src/async/on-abort.ts';
import { createTokenBucket } from '../../../../src/async/token-bucket.ts';
import type { TokenBucket } from '../../../../src/async/token-bucket.ts';
import type { ErrorCode } from '../../../../src/compute/errors.ts';
import type { EcsScope } from '../../../../src/compute/providers/ecs/address/service-target.ts';
import {
  abortedCall,
  assumeRoleError,
  CredentialsTrouble,
  silentAws,
  troubleError,
} from '../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import type { CallSite } from '../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import { faultOf } from '../../../../src/compute/providers/ecs/engine/ecs-fault.ts';
import { EcsRefusal, refusalError } from '../../../../src/compute/providers/ecs/engine/ecs-refusal.ts';
import type { OperationFamily } from '../../../../src/compute/providers/ecs/engine/limits/rate-limits.ts';
import { awsError } from '../../../compute/providers/ecs/aws-error.ts';
import type { VirtualClock } from './hands.ts';

/** What stands between a call and ECS: the network, rights, limits. What fails there is told as the client tells it. */

export type Outage = 'refused' | '503' | 'silent';

export interface FrontDoor {
  outage: Outage | undefined;
  /** Actions that IAM denies: /^ecs:/ is all of them. */
  denied: RegExp | undefined;
  /** Roles that can't be assumed. */
  readonly untrusted: Set<string>;
  /** Actions whose next call is carried out and whose answer is lost. */
  readonly lostAnswers: Set<string>;
  /** Whether nothing is limited, and no call takes time: for a fleet that is to be there before a story begins. */
  isWideOpen: boolean;
  /** Other people's calls take the family's tokens until then. */
  exhaust(family: OperationFamily, ms: number): void;
  /** Lets a call through to `act`, if it gets that far. */
  pass<T>(call: Call, act: () => T | Promise<T>): Promise<T>;
}

export interface Call {
  readonly scope: EcsScope;
  /** `ecs:CreateService` */
  readonly action: string;
  readonly family: OperationFamily;
  /** What it counts as; default: one call. */
  readonly cost?: number;
  readonly signal: AbortSignal;
}

export interface FrontDoorOptions {
  readonly clock: VirtualClock;
  /** Milliseconds that a call takes. */
  readonly latencyMs: () => number;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html, where DescribeServices takes ten. */
const limits: Readonly<Record<OperationFamily, readonly [burst: number, perSecond: number]>> = {
  serviceWrites: [50, 5],
  serviceReads: [1_000, 200],
  taskDefinitionWrites: [20, 1],
  taskDefinitionReads: [50, 20],
  taskReads: [100, 20],
  taskWrites: [50, 5],
  tagging: [20, 10],
  scaling: [50, 5],
  secretReads: [100, 20],
  parameterReads: [50, 5],
  balancing: [50, 5],
};

/** The client's own. */
const deadlineMs = 10_000;

export function createFrontDoor({ clock, latencyMs }: FrontDoorOptions): FrontDoor {
  const buckets = new Map<string, TokenBucket>();
  const exhaustedUntil = new Map<OperationFamily, number>();
  const bucketOf = (family: OperationFamily): TokenBucket => {
    const [burst, perSecond] = limits[family];
    const bucket = buckets.get(family) ?? createTokenBucket(burst, 1000 / perSecond, () => clock.now());
    buckets.set(family, bucket);
    return bucket;
  };
  const takeTokens = ({ family, cost = 1 }: Call): boolean => {
    if ((exhaustedUntil.get(family) ?? 0) > clock.now()) return false;
    return Array.from({ length: cost }, () => bucketOf(family).take()).every(Boolean);
  };
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const stopListening = onAbort(signal, resolve);
      clock.after(ms, () => {
        stopListening();
        resolve();
      });
    });
  const door: FrontDoor = {
    outage: undefined,
    denied: undefined,
    untrusted: new Set(),
    lostAnswers: new Set(),
    isWideOpen: false,
    exhaust: (family, ms) => void exhaustedUntil.set(family, clock.now() + ms),
    async pass(call, act) {
      const site = siteOf(call);
      refuseAborted(call, site);
      const ms = door.outage === 'silent' ? deadlineMs : door.isWideOpen ? 0 : latencyMs();
      if (ms > 0) await wait(ms, call.signal);
      refuseAborted(call, site);
      if (door.outage !== undefined) throw outageError(door.outage, site);
      const role = call.scope.roleArn;
      if (role !== undefined && door.untrusted.has(role)) throw untrustedError(role, site);
      if (door.denied?.test(call.action) === true) throw trouble(deniedError(call.action), site);
      if (!door.isWideOpen && !takeTokens(call)) {
        throw trouble(awsError('ThrottlingException', { message: 'Rate exceeded', status: 400 }), site);
      }
      const answer = await act();
      if (door.lostAnswers.delete(call.action)) throw trouble(connectionReset, site);
      return answer;
    },
  };
  return door;
}

/** What ECS refuses for its values or its state, as the client tells it. */
export function refusal(
  call: Pick<Call, 'scope' | 'action'>,
  failed: ErrorCode,
  name: string,
  message: string,
) {
  return refusalError(new EcsRefusal(awsError(name, { message, status: 400 }), siteOf(call)), failed);
}

const connectionReset = awsError('Error', { message: 'socket hang up', code: 'ECONNRESET' });

function siteOf({ scope, action }: Pick<Call, 'scope' | 'action'>): CallSite {
  const { region, roleArn } = scope;
  return { action, region, ...(roleArn === undefined ? {} : { roleArn }) };
}

function refuseAborted({ signal }: Call, site: CallSite): void {
  if (signal.aborted) throw abortedCall(site, signal.reason);
}

function trouble(error: Error, site: CallSite): Error {
  return troubleError(faultOf(error), site, error) ?? error;
}

function outageError(outage: Outage, site: CallSite): Error {
  switch (outage) {
    case 'silent':
      return silentAws(site);
    case '503':
      return trouble(awsError('ServerException', { message: 'Service Unavailable', status: 503 }), site);
    case 'refused':
      break;
  }
  return trouble(awsError('Error', { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }), site);
}

function deniedError(action: string): Error {
  const message =
    `User: arn:aws:sts::123456789012:assumed-role/landlord/landlord is not authorized to perform: ${action} ` +
    `because no identity-based policy allows the ${action} action`;
  return awsError('AccessDeniedException', { message, status: 400 });
}

function untrustedError(role: string, { region }: CallSite): Error {
  const cause = awsError('AccessDenied', {
    message: 'not authorized to perform: sts:AssumeRole',
    status: 403,
  });
  return assumeRoleError(region, new CredentialsTrouble(role, cause));
}
