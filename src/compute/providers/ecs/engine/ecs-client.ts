import type { z } from 'zod';
import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import type { EcsOperatorBlock, ecsPolicyBlock } from '../config.ts';
import { accountOf, regionOf } from '../address/arns.ts';
import type { EcsScope } from '../address/service-target.ts';
import type { EcsApi, ServiceHint } from './ecs-api.ts';
import { connectEcs } from './ecs-connection.ts';
import type { EcsConnection } from './ecs-connection.ts';
import { abortedCall } from './ecs-errors.ts';
import { balancingCalls } from './balancing/balancing-calls.ts';
import { createSessions } from './ecs-sessions.ts';
import type { RoleTerms } from './ecs-sessions.ts';
import { queueHints } from './queue-hints.ts';
import { limitsFor } from './limits/rate-limits.ts';
import type { OperationFamily, RateLimit } from './limits/rate-limits.ts';
import { createRateLimiter } from './limits/rate-limiter.ts';
import { scalingCalls } from './scaling/scaling-calls.ts';
import { secretCalls } from './secrets/secret-calls.ts';
import { createServiceClock } from './service-clock.ts';
import { serviceCalls } from './service-calls.ts';
import { createServiceReads } from './service-reads.ts';
import { taskCalls, taskDefinitionCalls } from './task-calls.ts';
import { rememberTaskDefinitions } from './task-definition-memory.ts';

/** ECS answers within a second or two; a slow day and a latency of 5 s still fit. */
const defaultDeadlineMs = 10_000;
/** A TCP connection that takes longer has lost its packets. */
const connectMs = 3_000;
/** So long a call may wait for its token; a worker that waits longer is better used for another tenant. */
const maxWaitMs = 30_000;

export interface EcsClientOptions {
  readonly block: EcsOperatorBlock;
  readonly policy: Pick<z.output<typeof ecsPolicyBlock>, 'allowed_roles'>;
  readonly logger: Logger;
  /** Monotonic clock in milliseconds. Default: performance.now. */
  readonly now?: () => number;
  /** Default: 70 % of what AWS documents, times the block's `api_rate_share`. */
  readonly limits?: Partial<Record<OperationFamily, RateLimit>>;
  /** Milliseconds that one try of a call may take. Default: 10 s. */
  readonly deadlineMs?: number;
  /** Lifetime of an assumed role's credentials in seconds. Default: STS', an hour. */
  readonly sessionSeconds?: number;
  /** Seconds that a poll of the events queue waits. Default: 20, the longest. */
  readonly pollSeconds?: number;
}

/** Makes clients and credentials with the first call that needs them, not before. */
export function createEcsClient(options: EcsClientOptions): EcsApi {
  const { block, logger, deadlineMs = defaultDeadlineMs, now = () => performance.now() } = options;
  const serviceClock = createServiceClock(() => performance.timeOrigin + performance.now());
  const sessions = createSessions({
    follow: serviceClock.follow,
    endpoint: block.endpoint,
    baseRoleArn: block.assume_role?.role_arn,
    termsOf: (roleArn) => roleTerms(options.policy.allowed_roles, roleArn),
    sessionSeconds: options.sessionSeconds,
    connectMs,
    requestMs: deadlineMs,
  });
  const limits = { ...limitsFor(block.api_rate_share), ...options.limits };
  const tokensOf = createRateLimiter({ limits, ownAccount: accountOf(block.cluster_arn), now, maxWaitMs });
  const connection = connectEcs({ sessions, tokensOf, logger, now, deadlineMs });
  const closing = new AbortController();
  return {
    describeService: createServiceReads(connection),
    ...serviceCalls(connection),
    ...rememberingCalls(connection, closing.signal),
    ...taskCalls(connection),
    ...scalingCalls(connection),
    ...secretCalls(connection),
    ...balancingCalls(connection),
    now: serviceClock.now,
    serviceHints: (signal) => serviceHints(options, AbortSignal.any([signal, closing.signal])),
    close: () => {
      closing.abort(new Error('Landlord is stopping'));
      connection.close();
    },
  };
}

/** External id and session name are the operator's, never the manifest's. */
function roleTerms(allowed: EcsClientOptions['policy']['allowed_roles'], roleArn: string): RoleTerms {
  const role = allowed.find(({ role_arn }) => role_arn === roleArn);
  return {
    ...(role?.external_id !== undefined && { externalId: role.external_id }),
    ...(role?.session_name !== undefined && { sessionName: role.session_name }),
  };
}

type RememberingCalls = ReturnType<typeof taskDefinitionCalls> &
  Pick<EcsApi, 'createService' | 'updateService'>;

/** What is remembered of a task definition is dropped where it may be the reason of a refusal. */
function rememberingCalls(connection: EcsConnection, closing: AbortSignal): RememberingCalls {
  const calls = { ...serviceCalls(connection), ...taskDefinitionCalls(connection) };
  const memory = rememberTaskDefinitions(calls.describeTaskDefinition, closing);
  const forgetRefused = async <T>(scope: EcsScope, taskDefinition: string | undefined, call: Promise<T>) => {
    try {
      return await call;
    } catch (error) {
      const isRefused = error instanceof ComputeError && error.code === 'InvalidSpec';
      if (isRefused && taskDefinition !== undefined) memory.forget(scope, taskDefinition);
      throw error;
    }
  };
  return {
    registerTaskDefinition: calls.registerTaskDefinition,
    listTaskDefinitions: calls.listTaskDefinitions,
    createService: (scope, input, signal) =>
      forgetRefused(scope, input.taskDefinition, calls.createService(scope, input, signal)),
    updateService: (scope, input, consent, signal) =>
      forgetRefused(scope, input.taskDefinition, calls.updateService(scope, input, consent, signal)),
    describeTaskDefinition: async (scope, taskDefinition, signal) => {
      try {
        return await memory.describe(scope, taskDefinition, signal);
      } catch (error) {
        throw asAborted(connection, scope, error);
      }
    },
    deregisterTaskDefinition: async (scope, taskDefinition, consent, signal) => {
      await calls.deregisterTaskDefinition(scope, taskDefinition, consent, signal);
      memory.forget(scope, taskDefinition);
    },
  };
}

function asAborted(connection: EcsConnection, scope: EcsScope, error: unknown): ComputeError {
  if (error instanceof ComputeError) return error;
  return abortedCall(connection.site(scope, 'DescribeTaskDefinition'), error);
}

async function* serviceHints(options: EcsClientOptions, signal: AbortSignal): AsyncIterable<ServiceHint> {
  const { block, logger, deadlineMs = defaultDeadlineMs, pollSeconds } = options;
  if (block.events_queue_url === undefined) return;
  const region = block.region ?? regionOf(block.cluster_arn);
  yield* queueHints(
    { queueUrl: block.events_queue_url, region, logger, connectMs, deadlineMs, pollSeconds },
    signal,
  );
}
