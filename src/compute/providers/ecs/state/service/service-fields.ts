import type { EcsConfig } from '../../config.ts';
import { marksOf } from './setting-marks.ts';
import type { SettingMarks } from './setting-marks.ts';
import { inWords } from './words.ts';
import type { InWords, Word } from './words.ts';

/** How a service is run and reached, in the words of ECS: what the config asks for, and nothing else. */

const keys = [
  'load_balancers',
  'health_check_grace_period_seconds',
  'service_registries',
  'enable_execute_command',
  'scheduling_strategy',
  'placement_constraints',
  'placement_strategy',
  'availability_zone_rebalancing',
  'service_connect_configuration',
  'vpc_lattice_configurations',
  'volume_configurations',
  'platform_version',
  'propagate_tags',
  'enable_ecs_managed_tags',
] as const;
type Key = (typeof keys)[number];

type Balancer = NonNullable<EcsConfig['load_balancers']>[number];
/** What the tasks register with: a target group that is there, or is made before ECS is asked. */
type NamedBalancer = Omit<Balancer, 'target_group_arn' | 'listener_rule' | 'target_group'> & {
  readonly target_group_arn: string;
};
type Reach = Omit<EcsConfig, 'load_balancers'> & {
  readonly load_balancers?: readonly NamedBalancer[] | undefined;
};

export type ServiceSettings = {
  readonly [K in Key as Word<K>]?: InWords<NonNullable<Reach[K]>>;
};
export type SettingName = keyof ServiceSettings;

export function settingsOf(config: Reach): ServiceSettings {
  const asked = keys.filter((key) => config[key] !== undefined);
  return inWords(Object.fromEntries(asked.map((key) => [key, config[key]])));
}

export interface ServiceField {
  /** Stands for it in the mark of what was applied last. It stays: marks stand on what runs. */
  readonly code: string;
  /** What ECS does about a change: nothing to tasks that run, a deployment, or neither: the service must be made anew. */
  readonly change: 'live' | 'rollout' | 'anew';
  /** What a service has that was made without it, and gets back where it is asked for no longer. Undefined: it keeps what it has. */
  readonly initial: unknown;
  /** Another code in the mark that says that the service may have been given some. */
  readonly impliedBy?: string;
  /** Whether the order of its list says something. */
  readonly isOrdered?: true;
  /** Where ECS answers in other words than it was asked in. */
  readonly normal?: (value: unknown) => unknown;
}

/** In the mark among the settings: of rules of listeners, whose target groups stand among the load balancers. */
export const rulesCode = 'lr';

export const serviceFields = {
  loadBalancers: { code: 'lb', change: 'rollout', initial: [], impliedBy: rulesCode },
  healthCheckGracePeriodSeconds: { code: 'hg', change: 'live', initial: 0 },
  serviceRegistries: { code: 'sr', change: 'rollout', initial: [] },
  enableExecuteCommand: { code: 'ex', change: 'live', initial: false },
  schedulingStrategy: { code: 'sc', change: 'anew', initial: 'REPLICA' },
  placementConstraints: { code: 'pc', change: 'live', initial: [] },
  placementStrategy: { code: 'ps', change: 'live', initial: [], isOrdered: true, normal: placementRules },
  availabilityZoneRebalancing: { code: 'az', change: 'live', initial: undefined },
  serviceConnectConfiguration: { code: 'cn', change: 'rollout', initial: { enabled: false } },
  vpcLatticeConfigurations: { code: 'vl', change: 'rollout', initial: [] },
  volumeConfigurations: { code: 'vo', change: 'rollout', initial: [] },
  platformVersion: { code: 'pv', change: 'rollout', initial: 'LATEST' },
  propagateTags: { code: 'pt', change: 'live', initial: 'SERVICE' },
  enableECSManagedTags: { code: 'mt', change: 'live', initial: false },
} as const satisfies Readonly<Record<SettingName, ServiceField>>;

/** `host` is `instanceId`, and `CPU` is `cpu`. */
function placementRules(rules: unknown): unknown {
  const known = Array.isArray(rules) ? (rules as { readonly type?: string; readonly field?: string }[]) : [];
  return known.map(({ type, field = '' }) => ({
    type,
    field: field === 'host' ? 'instanceid' : field.toLowerCase(),
  }));
}

export const settingNames = Object.keys(serviceFields) as SettingName[];

/** What a rollout brought is not what was asked for, once that was taken back. */
export function asTakenBack(marks: SettingMarks): SettingMarks {
  const rolled = new Set<string>(
    settingNames
      .map((name) => serviceFields[name])
      .flatMap(({ change, code }) => (change === 'live' ? [] : [code])),
  );
  return Object.fromEntries(
    Object.entries(marks).map(([code, digest]) => [code, rolled.has(code) ? '' : digest]),
  );
}

export function settingMarks(settings: ServiceSettings): SettingMarks {
  return marksOf(settingNames.map((name) => [serviceFields[name].code, settings[name]]));
}
