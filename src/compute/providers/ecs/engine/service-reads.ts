import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import type { Failure, Service } from '@aws-sdk/client-ecs';
import { ComputeError } from '../../../errors.ts';
import { serviceNameOf } from '../address/arns.ts';
import { clusterKey } from '../address/service-target.ts';
import type { ClusterTarget } from '../address/service-target.ts';
import type { EcsApi } from './ecs-api.ts';
import type { EcsCall, EcsConnection } from './ecs-connection.ts';
import { abortedCall } from './ecs-errors.ts';
import { EcsRefusal, refusalError } from './ecs-refusal.ts';
import { createReadBatcher } from './limits/read-batcher.ts';
import type { ReadOne, ReadOutcome } from './limits/read-batcher.ts';
import type { Priority } from './limits/token-queue.ts';

/** DescribeServices takes no more. */
const maxNames = 10;
/** What is asked in the same moment: long enough for a burst of passes, too short to be felt. */
const windowMs = 5;
/** So many services that may not be read are told apart from the others of a batch; more cost more calls than it's worth. */
const maxDeniedApart = 3;

type Answer = Service | undefined | 'cluster-gone';
type Outcomes = Map<string, ReadOutcome<Answer>>;

interface Batch {
  readonly names: readonly string[];
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** One batcher for each cluster and role. */
export function createServiceReads(connection: EcsConnection): EcsApi['describeService'] {
  const batchers = new Map<string, ReadOne<Answer>>();
  const batcherOf = (target: ClusterTarget): ReadOne<Answer> => {
    const { scope } = target;
    const key = clusterKey(target);
    const batcher =
      batchers.get(key) ??
      createReadBatcher<Answer>({
        maxNames,
        windowMs,
        pay: (priority) => connection.pay({ scope, action, family, priority }),
        refund: () => connection.refund(scope, family),
        fetch: (names, priority, signal) => describeAll(connection, target, { names, priority, signal }),
      });
    batchers.set(key, batcher);
    return batcher;
  };
  return async (target, priority, signal) => {
    try {
      return await batcherOf(target)(target.service, priority, signal);
    } catch (error) {
      if (error instanceof ComputeError) throw error;
      throw abortedCall(connection.site(target.scope, action), error);
    }
  };
}

const action = 'DescribeServices';
const family = 'serviceReads';

/** A name that can't be answered spoils its batch: it is told apart, so that the others get their answer. */
async function describeAll(
  connection: EcsConnection,
  target: ClusterTarget,
  batch: Batch,
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  let names = batch.names;
  for (let denied = 0; names.length > 0; denied += 1) {
    const call = describeCall(target, { ...batch, names }, denied === 0);
    try {
      const answer = await connection.ask(call, batch.signal);
      await readAnswer(connection, target, { answer, outcomes, batch: { ...batch, names } });
      return outcomes;
    } catch (error) {
      const culprit = denied < maxDeniedApart ? deniedName(error, names) : undefined;
      if (culprit === undefined) return setAll(outcomes, names, { error });
      outcomes.set(culprit, { error });
      names = names.filter((name) => name !== culprit);
    }
  }
  return outcomes;
}

interface DescribeAnswer {
  readonly services?: readonly Service[] | undefined;
  readonly failures?: readonly Failure[] | undefined;
}

async function readAnswer(
  connection: EcsConnection,
  target: ClusterTarget,
  { answer, outcomes, batch }: { answer: DescribeAnswer | EcsRefusal; outcomes: Outcomes; batch: Batch },
): Promise<void> {
  const { names } = batch;
  if (!(answer instanceof EcsRefusal)) {
    for (const name of names) outcomes.set(name, outcomeOf(name, answer));
  } else if (answer.kind === 'cluster-gone') {
    setAll(outcomes, names, { value: 'cluster-gone' });
  } else if (names.length === 1) {
    setAll(outcomes, names, { error: refusalError(answer, 'ProviderUnavailable') });
  } else {
    await describeHalves(connection, target, { outcomes, batch });
  }
}

/** One of the names is refused and ECS does not say which. */
async function describeHalves(
  connection: EcsConnection,
  target: ClusterTarget,
  { outcomes, batch }: { readonly outcomes: Outcomes; readonly batch: Batch },
): Promise<void> {
  const middle = Math.ceil(batch.names.length / 2);
  for (const names of [batch.names.slice(0, middle), batch.names.slice(middle)]) {
    const half = { ...batch, names };
    try {
      const answer = await connection.ask(describeCall(target, half, false), batch.signal);
      await readAnswer(connection, target, { answer, outcomes, batch: half });
    } catch (error) {
      setAll(outcomes, names, { error });
    }
  }
}

function describeCall(
  { scope, cluster }: ClusterTarget,
  { names, priority }: Batch,
  isPaid: boolean,
): EcsCall<DescribeAnswer> {
  return {
    scope,
    action,
    family,
    priority,
    isRepeatable: true,
    isPaid,
    send: (client, options) =>
      client.send(new DescribeServicesCommand({ cluster, services: [...names], include: ['TAGS'] }), options),
  };
}

function outcomeOf(name: string, { services = [], failures = [] }: DescribeAnswer): ReadOutcome<Answer> {
  const service = services.find(({ serviceName }) => serviceName === name);
  if (service !== undefined) return { value: service };
  const failure = failures.find(({ arn }) => serviceNameOf(arn) === name);
  if (failure?.reason === 'MISSING') return { value: undefined };
  const reason = failure === undefined ? 'its answer does not mention it' : (failure.reason ?? 'no reason');
  const message = `ECS can't say what became of service ${name}: ${reason}`;
  return { error: new ComputeError('ProviderUnavailable', message) };
}

/** The name that IAM blames, where it blames one: its policies may let some services be read and others not. */
function deniedName(error: unknown, names: readonly string[]): string | undefined {
  if (!(error instanceof ComputeError) || error.code !== 'AccessDenied') return undefined;
  const arn = / on (arn:\S+:service\/\S+)/.exec(error.message)?.[1];
  return names.length > 1 ? names.find((name) => name === serviceNameOf(arn)) : undefined;
}

function setAll(outcomes: Outcomes, names: readonly string[], outcome: ReadOutcome<Answer>): Outcomes {
  for (const name of names) outcomes.set(name, outcome);
  return outcomes;
}
