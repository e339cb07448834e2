import { note, placed } from '../finding.ts';
import type { Finding, Step } from '../finding.ts';
import { dict, entryOf, isDict, list, named } from '../read/scalars.ts';
import type { Dict } from '../read/scalars.ts';
import { isEmpty, pieces, snakeCase } from './snake-case.ts';

/** What ECS tells of a service, and nobody asks for; of a request, what is of that alone. */
const told = new Set([
  'clientToken',
  'createdAt',
  'createdBy',
  'currentServiceDeployment',
  'currentServiceRevisions',
  'deployments',
  'events',
  'pendingCount',
  'platformFamily',
  'resourceManagementType',
  'role',
  'roleArn',
  'runningCount',
  'serviceArn',
  'serviceName',
  'status',
  'taskSets',
]);

/** What a service has that names none of it. */
const byDefault: Dict = {
  schedulingStrategy: 'REPLICA',
  platformVersion: 'LATEST',
  enableExecuteCommand: false,
  enableECSManagedTags: false,
};

/** Keys with other names, or in another form, than ECS has them. */
const renamed: Readonly<Record<string, (value: unknown, service: Dict) => Dict>> = {
  taskDefinition: (value) => ({ task_definition_arn: value }),
  // Of a request, which may have its name alone.
  cluster: (value) => ({ cluster_arn: value }),
  networkConfiguration: (value) => network(dict(dict(value)['awsvpcConfiguration'])),
  deploymentConfiguration: (value) => ({ deployment: deployment(dict(value)) }),
  // ECS shows one for services that name capacity providers as well.
  launchType: (value, service) =>
    isEmpty(service['capacityProviderStrategy']) ? { launch_type: value } : {},
  desiredCount: (value, service) =>
    service['schedulingStrategy'] === 'DAEMON' ? {} : { desired_count: value },
  deploymentController: (value) => (dict(value)['type'] === 'ECS' ? {} : { deployment_controller: value }),
  tags: (value) => ({ tags: tagsOf(value) }),
};

/** A service as it is described, or as it is asked for, in the words of the block of the provider ecs. `from`: where it stands. */
export function serviceFindings(service: Dict, from: string): readonly Finding[] {
  const at = (key: string): string => (from === '' ? key : `${from}.${key}`);
  const all = { ...service, ...ofCurrentDeployment(service) };
  const said = Object.entries(all).filter(
    ([key, value]) => !told.has(key) && !isEmpty(value) && entryOf(byDefault, key) !== value,
  );
  return [
    placed(['computeProvider'], 'ecs', at('serviceName')),
    ...said.flatMap(([key, value]) => {
      const words = entryOf(renamed, key)?.(value, all) ?? { [snakeCase(key)]: value };
      return Object.entries(words).flatMap(([name, word]) => pieces(block(name), word, at(key)));
    }),
    note(
      'changed',
      at('serviceName'),
      'the name is of the Tenant: what runs under this one stays until it is removed',
    ),
  ];
}

function block(...steps: readonly Step[]): readonly Step[] {
  return ['computeConfig', 'ecs', ...steps];
}

/** Some of what a service is asked for is shown with its deployments alone. */
function ofCurrentDeployment({ deployments }: Dict): Dict {
  const current = list(deployments).find((one): one is Dict => isDict(one) && one['status'] === 'PRIMARY');
  const shown = ['serviceConnectConfiguration', 'volumeConfigurations', 'vpcLatticeConfigurations'];
  return Object.fromEntries(Object.entries(current ?? {}).filter(([key]) => shown.includes(key)));
}

function network({ subnets, securityGroups, assignPublicIp }: Dict): Dict {
  return {
    subnets,
    security_groups: securityGroups,
    ...(assignPublicIp === 'ENABLED' ? { assign_public_ip: true } : {}),
  };
}

/** Alarms are shown where there are none. */
function deployment({ alarms, ...others }: Dict): Dict {
  return isEmpty(dict(alarms)['alarmNames']) ? others : { ...others, alarms };
}

/** Those of AWS itself, and of whoever made the service, are not for others to set. */
function tagsOf(value: unknown): Dict {
  const tags = list(value).filter(isDict);
  return Object.fromEntries(
    tags
      .filter(({ key }) => !/^(aws:|landlord\.)/.test(named(key)))
      .map(({ key, value: word }) => [named(key), word]),
  );
}
