import type { AppliedMark } from '../marks/applied-mark.ts';
import type { DesiredService } from '../desired.ts';
import type { EcsRevision, EcsService } from '../ecs-service.ts';
import { covers, equals } from './covers.ts';
import { deploymentFields, deploymentNames, hasGap } from './deployment.ts';
import { shownText } from './difference.ts';
import type { Difference } from './difference.ts';
import { serviceFields, settingNames } from './service-fields.ts';
import type { ServiceField, ServiceSettings, SettingName } from './service-fields.ts';
import { digestOf } from './setting-marks.ts';
import type { SettingMarks } from './setting-marks.ts';

/** The settings that are asked for, or that were until an edit: what else ECS shows of them is nobody's business. */

export interface SettingDifference extends Difference {
  readonly name: SettingName;
  readonly change: ServiceField['change'];
  /** What to ask ECS for. */
  readonly value: unknown;
}

export interface SettingsCompared {
  readonly mark: AppliedMark;
  /** Whether ECS went back to what it shows. */
  readonly isReturn: boolean;
}

/** Of a service, or of a deployment, which shows fewer of them. */
export function compareSettings(
  desired: DesiredService,
  revision: EcsRevision,
  compared: SettingsCompared,
): readonly SettingDifference[] {
  const shown = shownSettings(revision);
  return settingNames.flatMap((name) => {
    const field: ServiceField = serviceFields[name];
    const value = desired.settings[name] ?? formerValue(field, compared.mark);
    const actual = shown[name];
    if (value === undefined || isMet(desired, { name, field, value, actual }, compared)) return [];
    const { change } = field;
    const told = { path: name, desired: shownText(value), actual: shownText(actual) };
    return [{ ...told, effect: effectOf(desired, change), name, change, value }];
  });
}

/** What is asked for no longer is as it was before. */
export function formerValue(
  { code, initial, impliedBy = code }: Pick<ServiceField, 'code' | 'initial' | 'impliedBy'>,
  { settings }: AppliedMark,
): unknown {
  return code in settings || impliedBy in settings ? initial : undefined;
}

/** What an edit takes away of a value is not seen by what is left of it: then it must say all that ECS has. */
export function isEdited(value: unknown, before: string | undefined, actual: unknown): boolean {
  const isOther = value !== undefined && before !== undefined && digestOf(value) !== before;
  return isOther && !equals(value, actual);
}

interface Setting {
  readonly name: SettingName;
  readonly field: ServiceField;
  readonly value: unknown;
  readonly actual: unknown;
}

function isMet(
  desired: DesiredService,
  { name, field, value, actual }: Setting,
  { mark, isReturn }: SettingsCompared,
): boolean {
  const isApplied = mark.specHash === desired.specHash && !mark.isRejected;
  if (isEdited(desired.settings[name], mark.settings[field.code], actual)) return false;
  // Some endpoints take a setting and never show it.
  if (actual === undefined && isApplied && !isReturn) return true;
  // ECS may answer with the version that this is now.
  if (value === 'LATEST' && isApplied) return true;
  const { normal = (same: unknown) => same, isOrdered, initial } = field;
  return covers(normal(value), normal(actual ?? initial), isOrdered);
}

/** What a change of that kind does to what runs. */
function effectOf(desired: DesiredService, change: ServiceField['change']): Difference['effect'] {
  return change === 'live' ? 'live' : change === 'anew' ? 'outage' : rolloutEffect(desired);
}

/** Of a rollout: where all may stop before the first new one runs, there is a gap, and a way back. */
export function rolloutEffect({ deployment }: Pick<DesiredService, 'deployment'>): Difference['effect'] {
  return hasGap(deployment) ? 'gap' : 'replace';
}

/** Some, ECS shows of a deployment alone: the service has those of its present one. */
export function shownSettings(
  revision: EcsRevision & Pick<Partial<EcsService>, 'deployments'>,
): Readonly<Record<SettingName, unknown>> {
  const primary = revision.deployments?.find(({ status }) => status === 'PRIMARY');
  const [own, present]: readonly Shown[] = [revision, primary ?? {}];
  return Object.fromEntries(settingNames.map((name) => [name, own?.[name] ?? present?.[name]])) as Record<
    SettingName,
    unknown
  >;
}

type Shown = Readonly<Partial<Record<SettingName, unknown>>>;

/** What to ask ECS for. */
export function changedSettings(differences: readonly SettingDifference[]): ServiceSettings {
  return Object.fromEntries(differences.map(({ name, value }) => [name, value]));
}

/** Settings that others asked for before, and that the service may still have, or get back with a rollback. */
export function keptMarks(desired: DesiredService, service: EcsService, mark: AppliedMark): SettingMarks {
  if (mark.specHash === desired.specHash) return mark.settings;
  const shown = shownSettings(service);
  const { deploymentConfiguration: configuration = {} } = service;
  const all = [
    ...settingNames.map((name) => ({ ...(serviceFields[name] as ServiceField), actual: shown[name] })),
    ...deploymentNames.map((name) => ({ ...deploymentFields[name], actual: configuration[name] })),
  ];
  const still = all.filter(
    ({ code, initial, actual }) => code in mark.settings && actual !== undefined && !covers(initial, actual),
  );
  return Object.fromEntries(still.map(({ code }) => [code, mark.settings[code] ?? '']));
}
