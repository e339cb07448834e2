import { appliedMark } from './applied-mark.ts';
import type { DesiredService } from '../desired.ts';
import { drainWanted } from './drain-mark.ts';
import { keyMarks } from './tag-marks.ts';
import { tagKeys } from './tags.ts';
import type { SettingMarks } from '../service/setting-marks.ts';
import type { Tags } from './tags.ts';
import type { Overlay } from '../task-definition/task-overlay.ts';

/** Tags of the service once `revision` (`FAMILY:REVISION`) was given to it. `kept`: see `appliedMark`. */
export function serviceTags(desired: DesiredService, revision: string, kept: SettingMarks = {}): Tags {
  return {
    ...desired.tags,
    ...desired.ownerTags,
    ...keyMarks(desired.tags),
    ...drainTag(desired),
    ...(desired.overlay === undefined
      ? {}
      : { [tagKeys.taskDefinition]: taskDefinitionTag(desired.overlay, revision) }),
    ...releaseTags(desired),
    [tagKeys.specHash]: appliedMark(desired, kept),
  };
}

/** Written once the release is done. */
function releaseTags({ release }: DesiredService): Tags {
  return release === undefined ? {} : { [tagKeys.release]: release.mark };
}

/** How a service tells those who will delete it, who no longer have the spec. */
export function drainTag({ drain }: DesiredService): Tags {
  return drain ? { [tagKeys.drain]: drainWanted } : {};
}

export function taskDefinitionTag({ hash }: Overlay, revision: string): string {
  return `${hash} ${revision}`;
}
