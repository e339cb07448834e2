import {
  CreateServiceCommand,
  DeleteServiceCommand,
  ListServicesCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import { ComputeError } from '../../../errors.ts';
import { serviceNameOf } from '../address/arns.ts';
import type { ClusterTarget, EcsScope } from '../address/service-target.ts';
import type { EcsApi } from './ecs-api.ts';
import type { EcsConnection } from './ecs-connection.ts';
import { EcsRefusal, refusalError } from './ecs-refusal.ts';

/** The most that a page can have. */
const pageSize = 100;

type ServiceCalls = Pick<
  EcsApi,
  'listServices' | 'createService' | 'updateService' | 'deleteService' | 'tagResource' | 'untagResource'
>;

export function serviceCalls(connection: EcsConnection): ServiceCalls {
  return {
    listServices: (target, signal) => listServices(connection, target, signal),
    createService: async (scope, input, signal) => {
      const answer = await connection.ask(
        {
          ...write(scope, 'CreateService'),
          // A client token makes it the same made twice on ECS, yet not on everything that speaks its language.
          isRepeatable: false,
          send: (client, options) => client.send(new CreateServiceCommand(input), options),
        },
        signal,
      );
      if (!(answer instanceof EcsRefusal)) return serviceOf(answer, 'CreateService');
      const { kind } = answer;
      if (kind === 'exists' || kind === 'draining' || kind === 'cluster-gone') return kind;
      throw refusalError(answer, 'ProvisionFailed');
    },
    updateService: async (scope, input, _consent, signal) => {
      const answer = await connection.ask(
        {
          ...write(scope, 'UpdateService'),
          // Not with forceNewDeployment, nor where somebody else has changed the service in between.
          isRepeatable: false,
          send: (client, options) => client.send(new UpdateServiceCommand(input), options),
        },
        signal,
      );
      if (!(answer instanceof EcsRefusal)) return serviceOf(answer, 'UpdateService');
      const { kind } = answer;
      if (kind === 'missing' || kind === 'cluster-gone') return kind;
      if (kind === 'inactive' || kind === 'draining') return 'inactive';
      throw refusalError(answer, 'UpdateFailed');
    },
    deleteService: async ({ scope, cluster, service }, _consent, signal) => {
      const answer = await connection.ask(
        {
          ...write(scope, 'DeleteService'),
          isRepeatable: true,
          send: (client, options) =>
            client.send(new DeleteServiceCommand({ cluster, service, force: true }), options),
        },
        signal,
      );
      if (!(answer instanceof EcsRefusal)) return serviceOf(answer, 'DeleteService');
      if (answer.kind === 'cluster-gone') return 'cluster-gone';
      if (answer.kind === 'missing' || answer.kind === 'inactive') return 'missing';
      throw refusalError(answer, 'DestroyFailed');
    },
    ...tagCalls(connection),
  };
}

function tagCalls(connection: EcsConnection): Pick<EcsApi, 'tagResource' | 'untagResource'> {
  return {
    tagResource: async (scope, arn, tags, signal) => {
      const answer = await connection.ask(
        {
          scope,
          action: 'TagResource',
          family: 'tagging',
          isRepeatable: true,
          send: (client, options) =>
            client.send(new TagResourceCommand({ resourceArn: arn, tags: [...tags] }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) throw refusalError(answer, 'UpdateFailed');
    },
    untagResource: async (scope, arn, keys, signal) => {
      const answer = await connection.ask(
        {
          scope,
          action: 'UntagResource',
          family: 'tagging',
          isRepeatable: true,
          send: (client, options) =>
            client.send(new UntagResourceCommand({ resourceArn: arn, tagKeys: [...keys] }), options),
        },
        signal,
      );
      if (answer instanceof EcsRefusal) throw refusalError(answer, 'UpdateFailed');
    },
  };
}

async function* listServices(
  connection: EcsConnection,
  { scope, cluster }: ClusterTarget,
  signal: AbortSignal,
): AsyncIterable<readonly string[]> {
  let nextToken: string | undefined;
  do {
    const input = { cluster, maxResults: pageSize, ...(nextToken !== undefined && { nextToken }) };
    const answer = await connection.ask(
      {
        scope,
        action: 'ListServices',
        family: 'serviceReads',
        priority: 'sweep',
        isRepeatable: true,
        send: (client, options) => client.send(new ListServicesCommand(input), options),
      },
      signal,
    );
    if (answer instanceof EcsRefusal) {
      if (answer.kind === 'cluster-gone') return;
      throw refusalError(answer, 'ProviderUnavailable');
    }
    yield (answer.serviceArns ?? []).map((arn) => serviceNameOf(arn));
    nextToken = answer.nextToken;
  } while (nextToken !== undefined);
}

function write(scope: EcsScope, action: string) {
  return { scope, action, family: 'serviceWrites' } as const;
}

function serviceOf({ service }: { readonly service?: Service | undefined }, action: string): Service {
  if (service !== undefined) return service;
  throw new ComputeError('ProviderUnavailable', `ECS took ecs:${action} and answered without a service`);
}
