import type { TenantSpecSchema } from '../../api/tenant.ts';
import { answered, tenantOf } from '../conversion.ts';
import type { Conversion } from '../conversion.ts';
import { Unsayable, item, note, placed } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { dnsLabelOf, isDnsLabel } from '../names.ts';
import { dict, isDict, list, named, wordOf } from '../read/scalars.ts';
import type { Dict } from '../read/scalars.ts';
import { containerFindings } from './container-rows.ts';
import { serviceFindings } from './service-rows.ts';

/**
 * What `aws ecs describe-services` and `aws ecs describe-task-definition` print, or what they are made from, as a Tenant: the
 * service is its block for ecs, the containers of the task definition are its own.
 */
export function convertEcs(sources: readonly string[], schema: TenantSpecSchema): Conversion {
  return answered(() => {
    const documents = sources.map(parsed);
    const services = documents.flatMap(servicesOf);
    const definitions = documents.flatMap(definitionsOf);
    const [service, ...moreServices] = services;
    const [definition, ...moreDefinitions] = definitions;
    if (moreServices.length > 0 || moreDefinitions.length > 0)
      throw new Unsayable('there are several services, or task definitions: give one at a time');
    if (service === undefined && definition === undefined)
      throw new Unsayable('is neither of describe-services nor of describe-task-definition');
    const name = wordOf(service?.found ?? {}, 'serviceName') || wordOf(dict(definition), 'family') || 'app';
    const found = [
      ...(service === undefined ? [] : serviceFindings(service.found, service.from)),
      ...(definition === undefined ? [] : definitionFindings(definition, service?.found)),
    ];
    return tenantOf(dnsLabelOf(name), found, schema);
  });
}

function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new Unsayable('is no JSON');
  }
}

interface FoundService {
  readonly found: Dict;
  /** Where it stands in its document. */
  readonly from: string;
}

/** Of describe-services, of create-service and update-service, or as it goes into these. */
function servicesOf(document: unknown): readonly FoundService[] {
  const { services, service, ...bare } = dict(document);
  const described = list(services)
    .filter(isDict)
    .map((found, index) => ({ found, from: `services[${index}]` }));
  if (described.length > 0) return described;
  if (isDict(service)) return [{ found: service, from: 'service' }];
  return 'serviceName' in bare && !isDict(bare['taskDefinition']) ? [{ found: bare, from: '' }] : [];
}

/** With the answer's own key, or as it goes into register-task-definition. */
function definitionsOf(document: unknown): readonly Dict[] {
  const { taskDefinition, ...bare } = dict(document);
  if (isDict(taskDefinition)) return [taskDefinition];
  return 'containerDefinitions' in bare ? [bare] : [];
}

/** Of a task as a whole: what ECS tells of it, and what stays with the definition that is named as the base. */
const told = new Set([
  'compatibilities',
  'containerDefinitions',
  'deregisteredAt',
  'family',
  'registeredAt',
  'registeredBy',
  'requiresAttributes',
  'requiresCompatibilities',
  'revision',
  'status',
  'taskDefinitionArn',
]);

function definitionFindings(definition: Dict, service: Dict | undefined): readonly Finding[] {
  const own = definition['taskDefinitionArn'];
  const base = [service?.['taskDefinition'], own].find((arn) => typeof arn === 'string');
  const containers = list(definition['containerDefinitions']).filter(isDict);
  const odd = containers.map((one) => wordOf(one, 'name')).filter((name) => !isDnsLabel(name));
  const others = Object.keys(definition).filter((key) => !told.has(key) && list(definition[key]).length > 0);
  return [
    ...ofOther(own, service?.['taskDefinition']),
    ...(service === undefined && base !== undefined
      ? [placed(['computeConfig', 'ecs', 'task_definition_arn'], base, 'taskDefinition.taskDefinitionArn')]
      : []),
    ...(base !== undefined && odd.length > 0
      ? [
          note(
            'changed',
            'taskDefinition.containerDefinitions',
            `they stay in ${base}, for no container can be called ${odd.join(', ')}`,
          ),
        ]
      : containersFindings(containers, base)),
    ...others.map((key) =>
      base === undefined
        ? note('dropped', `taskDefinition.${key}`, 'it is of a task definition, and none is named')
        : note('changed', `taskDefinition.${key}`, `it stays in ${base}, and is there on ECS alone`),
    ),
  ];
}

/** A service may name its definition by ARN, by `FAMILY:REVISION` or by the family alone. */
function ofOther(own: unknown, named: unknown): readonly Finding[] {
  if (typeof own !== 'string' || typeof named !== 'string') return [];
  const [, revision = own] = own.split('/');
  const [family] = revision.split(':');
  if ([own, revision, family].includes(named)) return [];
  const what = `its containers are those of ${own}, and the service runs ${named}, which all else stays in`;
  return [note('changed', 'taskDefinition.taskDefinitionArn', what)];
}

function containersFindings(containers: readonly Dict[], base: string | undefined): readonly Finding[] {
  const all = containers.flatMap((one, index) =>
    containerFindings(one, `taskDefinition.containerDefinitions[${index}]`, base),
  );
  return [...all, ...jobs(containers)];
}

/** Whose end others wait for runs once. */
function jobs(containers: readonly Dict[]): readonly Finding[] {
  const awaited = containers
    .flatMap(({ dependsOn }) => list(dependsOn))
    .filter(isDict)
    .filter(({ condition }) => condition === 'SUCCESS' || condition === 'COMPLETE');
  return awaited.flatMap(({ containerName, condition }) => {
    const name = named(containerName);
    const from = `taskDefinition.containerDefinitions.${name}`;
    return [
      placed(['containers', item(name), 'restartPolicy'], 'Never', from),
      ...(condition === 'COMPLETE'
        ? [note('changed', from, 'others wait until it has ended well, not only ended')]
        : []),
    ];
  });
}
