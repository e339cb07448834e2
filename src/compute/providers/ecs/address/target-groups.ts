import { createHash } from 'node:crypto';
import type { ServiceTarget } from './service-target.ts';

/** How what is made for a service at a load balancer is called, so that it is found again with nothing remembered. */

/** What the names of all target groups begin with that are made by Landlord. */
export const groupPrefix = 'landlord-';

/** Of 32 signs that a name may have, `landlord-` takes 9, the place 12, and what tells the groups of one place apart 10. */
const placeLength = 12;
const variantLength = 10;

/** Which service it is, in the tags of what is made for it. */
export function placeMark({ cluster, service }: Pick<ServiceTarget, 'cluster' | 'service'>): string {
  return digest([cluster, service], placeLength);
}

/** What the names of a service's target groups begin with. */
export function groupPrefixOf(target: Pick<ServiceTarget, 'cluster' | 'service'>): string {
  return `${groupPrefix}${placeMark(target)}-`;
}

/** `variant`: what can't be changed of it, and what tells it from the others. */
export function groupNameOf(target: Pick<ServiceTarget, 'cluster' | 'service'>, variant: unknown): string {
  return `${groupPrefixOf(target)}${digest(variant, variantLength)}`;
}

/** `…:targetgroup/NAME/ID`, or `targetgroup/NAME` of one whose ARN is not known yet. */
export function groupNameIn(arn: string): string {
  return arn.slice(arn.indexOf(groupPath) + groupPath.length).split('/')[0] ?? '';
}
const groupPath = 'targetgroup/';

/** Stands for the ARN of a group that is yet to be seen, or made. */
export function unknownArnOf(name: string): string {
  return `${groupPath}${name}`;
}

export function isUnknownArn(arn: string): boolean {
  return arn.startsWith(groupPath);
}

/** `…:listener/app/NAME/ID/LISTENER` as `…:loadbalancer/app/NAME/ID`. */
export function loadBalancerOf(listener: string): string {
  return listener.slice(0, listener.lastIndexOf('/')).replace(':listener/', ':loadbalancer/');
}

function digest(value: unknown, length: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, length);
}
