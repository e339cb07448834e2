import type { DesiredService } from '../desired.ts';
import type { EcsService } from '../ecs-service.ts';
import type { AppliedMark } from '../marks/applied-mark.ts';
import { readMark } from '../marks/applied-mark.ts';
import { tagMap } from '../marks/tags.ts';
import type { Difference } from '../service/difference.ts';
import { marksText } from '../service/setting-marks.ts';
import type { SettingMarks } from '../service/setting-marks.ts';
import { isSameScaling, scalingDigest, scalingText } from './scaling.ts';
import type { ShownScaling } from './scaling.ts';

/**
 * Whether there is a scalable target of ours, the service's own mark says: nobody is asked about those that have none. It is
 * marked before it is made, so that whoever removes the service knows.
 */

/** A service, and what Application Auto Scaling knows of it. Undefined: it was not asked. */
export interface ScaledService extends EcsService {
  readonly scaling?: ShownScaling | undefined;
}

/** In the mark among the settings. */
const code = 'as';

/** No digest: it is about to be made. */
const pending = 'new';

export interface ScalingDifference extends Difference {
  /** Whether others changed what was applied. */
  readonly isDrift: boolean;
}

/** Undefined: all is as desired, as far as it was looked at. */
export function compareScaling(
  { autoscaling }: DesiredService,
  { scaling }: ScaledService,
  { settings }: AppliedMark,
): ScalingDifference | undefined {
  const marked = settings[code];
  if (autoscaling === undefined && (marked === undefined || scaling === 'none')) return undefined;
  const isApplied = autoscaling !== undefined && marked === scalingDigest(autoscaling);
  const isMet =
    autoscaling !== undefined &&
    (scaling === undefined || (scaling !== 'none' && isSameScaling(autoscaling, scaling)));
  if (isApplied && isMet) return undefined;
  const actual = scaling ?? (marked === undefined || marked === pending ? 'none' : 'another one');
  return {
    path: 'autoscaling',
    desired: scalingText(autoscaling ?? 'none'),
    actual: actual === 'another one' ? actual : scalingText(actual),
    effect: 'live',
    isDrift: isApplied,
  };
}

/** Whether the service may have a scalable target of ours. */
export function isScaled(service: EcsService | undefined): boolean {
  return service !== undefined && code in readMark(tagMap(service.tags)).settings;
}

/** Whether what was seen is what was applied last, and nothing of others' beside it. */
export function isAsMarked(service: EcsService, scaling: ShownScaling): boolean {
  const marked = readMark(tagMap(service.tags)).settings[code];
  return scaling !== 'none' && scaling.foreign.length === 0 && marked === scalingDigest(scaling);
}

/** Of a service whose scalable target is made next. */
export function pendingScaling({ autoscaling }: DesiredService): SettingMarks {
  return autoscaling === undefined ? {} : { [code]: pending };
}

/** The mark as it is, but for that. */
export function withPendingMark(mark: string, settings: SettingMarks): string {
  const others = mark.split(' ').filter((part) => !part.startsWith('set='));
  return [...others, `set=${marksText({ ...settings, [code]: pending })}`].join(' ');
}

/** Settings as they are marked once all was applied. */
export function withScalingMark({ autoscaling }: DesiredService, settings: SettingMarks): SettingMarks {
  const { [code]: _before, ...others } = settings;
  return autoscaling === undefined ? others : { ...others, [code]: scalingDigest(autoscaling) };
}

/** What is left alone, in words. */
export function scalingNotes(scaling: ShownScaling | undefined): readonly string[] {
  if (scaling === undefined || scaling === 'none' || scaling.foreign.length === 0) return [];
  const [first, ...more] = scaling.foreign;
  const which = more.length === 0 ? `policy ${first}` : `policies ${scaling.foreign.join(', ')}`;
  return [`the scaling ${which} of others is left alone`];
}
