import type { Logger } from 'pino';
import type { TenantSpecSchema } from '../api/tenant.ts';
import { regionOf, serviceNameOf } from '../compute/providers/ecs/address/arns.ts';
import { connectEcs } from '../compute/providers/ecs/engine/ecs-connection.ts';
import type { EcsConnection } from '../compute/providers/ecs/engine/ecs-connection.ts';
import { createSessions, defaultRegion } from '../compute/providers/ecs/engine/ecs-sessions.ts';
import { createRateLimiter } from '../compute/providers/ecs/engine/limits/rate-limiter.ts';
import { limitsFor } from '../compute/providers/ecs/engine/limits/rate-limits.ts';
import { createServiceReads } from '../compute/providers/ecs/engine/service-reads.ts';
import { taskDefinitionCalls } from '../compute/providers/ecs/engine/task-calls.ts';
import type { Conversion } from '../convert/conversion.ts';
import { convertEcs } from '../convert/ecs/convert-ecs.ts';

/** Which service, where. What is not named is as the SDK finds it. */
export interface EcsWish {
  /** Name or ARN. */
  readonly service: string;
  /** Name or ARN. Absent: that in the ARN of the service, and else `default`. */
  readonly cluster: string | undefined;
  readonly region: string | undefined;
  /** The one where the SDK finds none. */
  readonly otherRegion: string | undefined;
  /** URL of the ECS API instead of the region's own. */
  readonly endpoint: string | undefined;
  readonly logger: Logger;
}

const deadlineMs = 10_000;
const connectMs = 3_000;
const maxWaitMs = 30_000;

/**
 * A service of ECS, with its task definition, as a Tenant. Throws an Error of one line where it can't be read: the provider's
 * own, or one that says what is not there.
 */
export async function importEcs(
  wish: EcsWish,
  schema: TenantSpecSchema,
  signal: AbortSignal,
): Promise<Conversion> {
  const { service, cluster = clusterOf(service) ?? 'default' } = wish;
  const ofArn = service.startsWith('arn:') ? regionOf(service) : undefined;
  const region = wish.region ?? ofArn ?? (await defaultRegion()) ?? wish.otherRegion;
  if (region === undefined)
    throw new Error('no region: name it by --region, by AWS_REGION, or by the ARN of the service');
  const connection = connectionTo(wish);
  try {
    const answers = await answersOf(
      connection,
      { scope: { region }, cluster, service: serviceNameOf(service) },
      signal,
    );
    return convertEcs(
      answers.map((answer) => JSON.stringify(answer)),
      schema,
    );
  } finally {
    connection.close();
  }
}

type Target = Parameters<ReturnType<typeof createServiceReads>>[0];

/** As `aws ecs describe-services` and `describe-task-definition` print them. */
async function answersOf(
  connection: EcsConnection,
  target: Target,
  signal: AbortSignal,
): Promise<readonly object[]> {
  const { scope, cluster, service: name } = target;
  const where = `in region ${scope.region}`;
  const service = await createServiceReads(connection)(target, 'user', signal);
  if (service === 'cluster-gone') throw new Error(`ECS has no cluster ${cluster} ${where}`);
  if (service === undefined || service.status === 'INACTIVE')
    throw new Error(`ECS has no service ${name} in the cluster ${cluster} ${where}`);
  const { taskDefinition: arn } = service;
  if (arn === undefined) return [{ services: [service] }];
  const definition = await taskDefinitionCalls(connection).describeTaskDefinition(scope, arn, signal);
  if (definition === undefined) throw new Error(`ECS has no task definition ${arn}, which ${name} names`);
  return [{ services: [service] }, { taskDefinition: definition.taskDefinition }];
}

function connectionTo({ endpoint, logger }: EcsWish): EcsConnection {
  const now = (): number => performance.now();
  const sessions = createSessions({
    follow: () => undefined,
    endpoint,
    termsOf: () => ({}),
    connectMs,
    requestMs: deadlineMs,
  });
  const tokensOf = createRateLimiter({ limits: limitsFor(1), ownAccount: '', now, maxWaitMs });
  return connectEcs({ sessions, tokensOf, logger, now, deadlineMs });
}

/** `arn:…:service/CLUSTER/NAME`; an old one has no cluster in it. */
function clusterOf(service: string): string | undefined {
  const [, cluster, name] = service.split('/');
  return service.startsWith('arn:') && name !== undefined ? cluster : undefined;
}
