import type { Marks } from '../../../../ownership.ts';
import type { EcsTag } from '../ecs-service.ts';

/** The tags that this provider writes besides its owner marks, and tags as maps. */

export type Tags = Marks;

/** Stands before the key of each owner mark. */
export const ownerPrefix = 'landlord';

/** Starts the key of each of our tags; nobody else's may. */
export const tagPrefix = `${ownerPrefix}.`;

export const tagKeys = {
  /** The desired state that was applied last. */
  specHash: `${tagPrefix}spec_hash`,
  /** On a service: the revision of the tenant's own that it was given, as `HASH FAMILY:REVISION`. */
  taskDefinition: `${tagPrefix}task_definition`,
  /** On a service: which of its other tags came from the spec; see tag-marks.ts. */
  tagMarks: [`${tagPrefix}tag_marks`, `${tagPrefix}tag_marks_2`, `${tagPrefix}tag_marks_3`],
  /** The same, as earlier versions wrote it. */
  shortMarks: `${tagPrefix}tag_keys`,
  /** On a service: to be drained before it is deleted; see drain-mark.ts. */
  drain: `${tagPrefix}drain`,
  /** On a service: the release that was run last, see desired-release.ts; on a task that is one: what it is run for. */
  release: `${tagPrefix}release`,
  /** On what is made at a load balancer: the service, in short, that it is for, and the name of that. */
  place: `${tagPrefix}place`,
  service: `${tagPrefix}service`,
  /** On a target group: ARN of the listener whose rule leads to it. */
  listener: `${tagPrefix}listener`,
  /** On a task definition: the overlay that it was made from. */
  overlayHash: `${tagPrefix}overlay_hash`,
} as const;

export function tagMap(tags: readonly EcsTag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map(({ key = '', value = '' }) => [key, value]));
}

export function tagList(tags: Tags): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
