import { createHash } from 'node:crypto';
import type { DesiredNetwork, DesiredService } from '../desired.ts';
import { capacityMark } from '../service/capacity.ts';
import { deploymentMarks } from '../service/deployment.ts';
import { asTakenBack, settingMarks } from '../service/service-fields.ts';
import { marksText, readMarks } from '../service/setting-marks.ts';
import type { SettingMarks } from '../service/setting-marks.ts';
import { tagKeys } from './tags.ts';
import type { Tags } from './tags.ts';

/**
 * The tag `landlord.spec_hash` of a service: the desired state that was applied last, and what that asked for where the
 * service alone can't tell: `v1:… net=1a2b3c4d sg=default on=FARGATE set=lb:x-9Z`. So an edit of the spec is told from one
 * by other hands, and what was emptied from what never was.
 */
export interface AppliedMark {
  readonly specHash: string | undefined;
  /** Whether it was taken back, and what runs is another one's. */
  readonly isRejected: boolean;
  /** Of the network it asked for, but for its security groups. */
  readonly network: string | undefined;
  readonly securityGroups: string | undefined;
  /** What it runs on. */
  readonly capacity: string | undefined;
  /** See request-mark.ts. */
  readonly request: string | undefined;
  /** See secrets-mark.ts. */
  readonly secrets: string | undefined;
  /** The settings that it asked for, or that one before it did and the service may still have. */
  readonly settings: SettingMarks;
}

/** Whether the desired state that was applied last is this one, a rejected try of this one, or another one. */
export type Applied = 'this' | 'rejected' | 'other';

const rejectedPrefix = 'rejected:';

/** Where the security groups are the VPC's default. */
const defaultGroups = 'default';

/** `kept`: settings that others asked for before, and that the service may still have. */
export function appliedMark(desired: DesiredService, kept: SettingMarks = {}): string {
  const { specHash, network, settings, deployment, request, secretVersions } = desired;
  const capacity = capacityMark(desired);
  const asked = {
    ...(network === undefined ? {} : { net: networkMark(network), sg: groupsMark(network) }),
    ...(capacity === undefined ? {} : { on: capacity }),
    ...(request === undefined ? {} : { at: request }),
    ...(secretVersions === undefined ? {} : { sv: secretVersions }),
    ...settingsMark({ ...kept, ...settingMarks(settings), ...deploymentMarks(deployment) }),
  };
  return [specHash, ...Object.entries(asked).map(([key, value]) => `${key}=${value}`)].join(' ');
}

function settingsMark(marks: SettingMarks): { readonly set?: string } {
  return Object.keys(marks).length === 0 ? {} : { set: marksText(marks) };
}

/** The mark of a service whose spec was rolled back and is not to be tried: what it runs is another one's. */
export function rejectedMark({ specHash }: DesiredService, kept: SettingMarks = {}): string {
  const { set } = settingsMark(asTakenBack(kept));
  return `${rejectedPrefix}${specHash}${set === undefined ? '' : ` set=${set}`}`;
}

export function readMark(tags: Tags): AppliedMark {
  const [hash, ...asked] = tags[tagKeys.specHash]?.split(' ') ?? [];
  const isRejected = hash?.startsWith(rejectedPrefix) === true;
  const of = new Map(
    asked.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  return {
    specHash: isRejected ? hash?.slice(rejectedPrefix.length) : hash,
    isRejected,
    network: of.get('net'),
    securityGroups: of.get('sg'),
    capacity: of.get('on'),
    request: of.get('at'),
    secrets: of.get('sv'),
    settings: readMarks(of.get('set')),
  };
}

export function appliedState({ specHash }: DesiredService, mark: AppliedMark): Applied {
  if (mark.specHash !== specHash) return 'other';
  return mark.isRejected ? 'rejected' : 'this';
}

/** Whether the desired state that was applied last asked for the same network. */
export function askedForNetwork(mark: AppliedMark, network: DesiredNetwork): boolean {
  return mark.network === networkMark(network) && mark.securityGroups === groupsMark(network);
}

/** Whether groups may be left of an earlier state, where those of the VPC are asked for: ECS does not tell which they are. */
export function mayKeepGroups({ isRejected, securityGroups }: AppliedMark): boolean {
  return isRejected || (securityGroups !== undefined && securityGroups !== defaultGroups);
}

export function askedForDefaultGroups({ securityGroups }: AppliedMark): boolean {
  return securityGroups === defaultGroups;
}

function networkMark({ subnets, assignPublicIp }: DesiredNetwork): string {
  return shortHash([subnets.toSorted(), assignPublicIp]);
}

function groupsMark({ securityGroups }: DesiredNetwork): string {
  return securityGroups === undefined ? defaultGroups : shortHash(securityGroups.toSorted());
}

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}
