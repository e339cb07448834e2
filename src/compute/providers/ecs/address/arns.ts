/** What the ARNs of ECS say. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html */

/** `arn:aws:ecs:REGION:ACCOUNT:…` */
export function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}

export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

/** `arn:…:service/CLUSTER/NAME`, or the old `arn:…:service/NAME`. */
export function serviceNameOf(arn: string | undefined): string {
  return arn?.slice(arn.lastIndexOf('/') + 1) ?? '';
}

/** `…:task-definition/FAMILY:REVISION` as `FAMILY:REVISION`, or `FAMILY` where no revision is named. */
export function revisionKey(taskDefinitionArn: string): string {
  return taskDefinitionArn.slice(taskDefinitionArn.indexOf('/') + 1);
}

export function familyOf(taskDefinitionArn: string): string {
  return revisionKey(taskDefinitionArn).split(':')[0] ?? '';
}

/** The ARN without the revision: what all revisions of a family have in common. */
export function withoutRevision(taskDefinitionArn: string): string {
  const colon = taskDefinitionArn.lastIndexOf(':');
  const isRevision =
    colon > taskDefinitionArn.lastIndexOf('/') && /^\d+$/.test(taskDefinitionArn.slice(colon + 1));
  return isRevision ? taskDefinitionArn.slice(0, colon) : taskDefinitionArn;
}

/** Whether `actual`, which names a revision, is what `named` stands for; without a revision it stands for any. */
export function isRevisionOf(named: string, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  return named === actual || (named === withoutRevision(named) && named === withoutRevision(actual));
}
