import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tag, Task } from '@aws-sdk/client-ecs';
import type { Consent } from '../src/compute/permit.ts';
import { awsEcs } from '../test/simulation/models/aws-ecs.ts';
import type { AwsEcs } from '../test/simulation/models/aws-ecs.ts';
import { seededRandom } from '../test/simulation/models/aws-ecs/hands.ts';

/** ECS as the simulation models it, with AWS' limits and the latency of a region nearby, over HTTP. */
export interface EcsModel {
  readonly url: string;
  /** compute.ecs of the operator's config, but for the endpoint. */
  readonly block: Readonly<Record<string, unknown>>;
  /** While it is, nothing is limited, tasks and deployments take no time, and all that happens was minutes ago. */
  setWideOpen(wanted: boolean): void;
  stop(): Promise<void>;
}

const region = 'us-west-2';
const account = `arn:aws:ecs:${region}:123456789012`;
const cluster = `${account}:cluster/landlord`;
const latencyMs = { least: 20, most: 120 } as const;
/** At rest until a deployment is complete. */
const steadyMs = { least: 10_000, most: 60_000 } as const;
/** What was started so long before a Tenant became Ready was not started since. */
const agoMs = 120_000;
const never = new AbortController().signal;

type Input = Readonly<Record<string, unknown>>;

export async function startEcsModel(): Promise<EcsModel> {
  const random = seededRandom(1);
  const between = ({ least, most }: { readonly least: number; readonly most: number }): number =>
    least + random() * (most - least);
  const app = { name: 'app', image: 'app:1', essential: true };
  let isWideOpen = false;
  const aws = awsEcs({
    clock: {
      now: () => Date.now() - (isWideOpen ? agoMs : 0),
      after: (ms, act) => void setTimeout(act, ms).unref(),
    },
    random,
    clusters: [cluster],
    definitions: [{ family: 'tenant-app', revision: 12, networkMode: 'awsvpc', containerDefinitions: [app] }],
    latencyMs: () => between(latencyMs),
    fateOf: () => (isWideOpen ? { startMs: 0 } : {}),
    steadyMs: () => (isWideOpen ? 0 : between(steadyMs)),
  });
  const tasks = new Map<string, Task>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Input;
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(inSeconds(body)));
      };
      carryOut({ aws, tasks }, operation, input).then(
        (body) => answer(200, body),
        (error: unknown) => answer(400, refusalOf(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    block: {
      cluster_arn: cluster,
      task_definition_arn: `${account}:task-definition/tenant-app:12`,
      service_name_prefix: 'landlord-tenant-',
      subnets: ['subnet-1'],
    },
    setWideOpen: (wanted) => {
      isWideOpen = wanted;
      aws.door.isWideOpen = wanted;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What ECS says where the model has a word for it. */
const refusals: Readonly<Record<string, readonly [code: string, message: string]>> = {
  exists: ['InvalidParameterException', 'Creation of service was not idempotent.'],
  draining: ['InvalidParameterException', 'Unable to Start a service that is still Draining.'],
  missing: ['ServiceNotFoundException', 'Service not found.'],
  inactive: ['ServiceNotActiveException', 'Service was not ACTIVE.'],
  'cluster-gone': ['ClusterNotFoundException', 'Cluster not found.'],
};

class Refused extends Error {
  override readonly name: string;
  constructor(word: string) {
    const [code, message] = refusals[word] ?? ['ClientException', word];
    super(message);
    this.name = code;
  }
}

function refusalOf(error: unknown): unknown {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  return { __type: name, message };
}

function orRefused<T>(answer: T | string): T {
  if (typeof answer === 'string') throw new Refused(answer);
  return answer;
}

interface Account {
  readonly aws: AwsEcs;
  /** By ARN, as they were listed last. */
  readonly tasks: Map<string, Task>;
}

async function carryOut({ aws, tasks }: Account, operation: string, input: Input): Promise<unknown> {
  const scope = { region };
  // The model asks nobody.
  const consent = undefined as unknown as Consent;
  const text = (key: string): string => (input[key] ?? '') as string;
  const names = (key: string): readonly string[] => (input[key] ?? []) as readonly string[];
  const target = (service: string) => ({ scope, cluster: text('cluster'), service });
  switch (operation) {
    case 'CreateService':
      return { service: orRefused(await aws.createService(scope, input as never, never)) };
    case 'UpdateService':
      return { service: orRefused(await aws.updateService(scope, input as never, consent, never)) };
    case 'DeleteService':
      return { service: orRefused(await aws.deleteService(target(text('service')), consent, never)) };
    case 'DescribeServices': {
      const asked = names('services');
      const found = await Promise.all(
        asked.map((name) => aws.describeService(target(name.split('/').at(-1) ?? ''), 'user', never)),
      );
      const services = found.filter((service) => typeof service === 'object');
      const missing = asked.filter((_name, index) => found[index] === undefined);
      return { services, failures: missing.map((arn) => ({ arn, reason: 'MISSING' })) };
    }
    case 'ListServices': {
      const pages: string[][] = [];
      for await (const page of aws.listServices(target(''), never)) pages.push([...page]);
      const at = Number(input['nextToken'] ?? 0);
      const serviceArns = (pages[at] ?? []).map((name) => `${account}:service/landlord/${name}`);
      return { serviceArns, ...(at + 1 < pages.length ? { nextToken: `${at + 1}` } : {}) };
    }
    case 'ListTasks': {
      const wanted = text('desiredStatus') || 'RUNNING';
      // The model knows one look at a service's tasks and charges it whole; the client makes it of three calls.
      if (wanted === 'RUNNING')
        await aws.describeTasks(target(text('serviceName')), { limit: 100, priority: 'user' }, never);
      const all = aws.tasks(text('serviceName')).filter(({ desiredStatus }) => desiredStatus === wanted);
      for (const task of all) tasks.set(task.taskArn ?? '', task);
      return { taskArns: all.map(({ taskArn }) => taskArn) };
    }
    case 'DescribeTasks':
      return { tasks: names('tasks').flatMap((arn) => tasks.get(arn) ?? []) };
    case 'DescribeTaskDefinition': {
      const found = await aws.describeTaskDefinition(scope, text('taskDefinition'), never);
      if (found === undefined) throw new Refused('Unable to describe task definition.');
      return found;
    }
    case 'ListTaskDefinitions':
      return { taskDefinitionArns: await aws.listTaskDefinitions(scope, text('familyPrefix'), never) };
    case 'RegisterTaskDefinition':
      return { taskDefinition: await aws.registerTaskDefinition(scope, input as never, never) };
    case 'DeregisterTaskDefinition':
      await aws.deregisterTaskDefinition(scope, text('taskDefinition'), consent, never);
      return {};
    case 'TagResource':
      await aws.tagResource(scope, text('resourceArn'), (input['tags'] ?? []) as readonly Tag[], never);
      return {};
    case 'UntagResource':
      await aws.untagResource(scope, text('resourceArn'), names('tagKeys'), never);
      return {};
    default:
      throw new Refused(`the model has no ${operation}`);
  }
}

/** AWS' JSON has times as seconds. */
function inSeconds(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1_000;
  if (Array.isArray(value)) return value.map(inSeconds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inSeconds(each)]));
}
