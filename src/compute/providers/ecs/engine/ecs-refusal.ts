import { ComputeError } from '../../../errors.ts';
import type { ErrorCode } from '../../../errors.ts';
import { saysInOrder } from '../../../observation/engine-text.ts';
import { nameOf } from './ecs-fault.ts';
import { siteName, awsText } from './ecs-errors.ts';
import type { CallSite } from './ecs-errors.ts';

/** What ECS, reached and understood, would not do. Callers make a value or a ComputeError of it. */
export class EcsRefusal {
  readonly kind: RefusalKind;
  /** ECS' own name for it: InvalidParameterException. */
  readonly name: string;
  /** What ECS says; stable between tries. */
  readonly text: string;
  readonly site: CallSite;

  constructor(error: unknown, site: CallSite) {
    this.name = nameOf(error);
    this.text = awsText(error);
    this.kind = kindOf(this.name, this.text);
    this.site = site;
  }
}

/**
 * What it is about: `exists` a service of that name with other values; `draining` its name is not free yet; `inactive`
 * it was deleted; `missing` there never was one, or long ago; `cluster-gone`; `no-task-definition`; `no-role` a role
 * that ECS itself needs; `quota` the account may not have more of these; `busy` something else is under way, and
 * it passes;
 * `invalid` the values.
 */
export type RefusalKind =
  | 'exists'
  | 'draining'
  | 'inactive'
  | 'missing'
  | 'cluster-gone'
  | 'no-task-definition'
  | 'no-role'
  | 'quota'
  | 'busy'
  | 'invalid'
  | 'other';

/** First hit wins. ECS tells some things by the name of the error and others only by its text. */
const kinds: readonly (readonly [name: RegExp, text: Pick<RegExp, 'test'>, kind: RefusalKind])[] = [
  [/^ClusterNotFoundException$/, /^/, 'cluster-gone'],
  [/^(ServiceNotFound|ObjectNotFound)Exception$/, /^/, 'missing'],
  // Of Application Auto Scaling, which sees a new service a moment later than ECS does.
  [/^ValidationException$/, /ECS service doesn.t exist/i, 'missing'],
  [/^ServiceNotActiveException$/, /^/, 'inactive'],
  [/LimitExceeded|QuotaExceeded/, /^/, 'quota'],
  [/^(UpdateInProgress|ConcurrentUpdate|Conflict|ResourceInUse)Exception$/, /^/, 'busy'],
  [/^/, /not idempotent/i, 'exists'],
  [/^/, /still draining/i, 'draining'],
  [/^/, /cluster (was|is) (inactive|not active)|referenced cluster was/i, 'cluster-gone'],
  [
    /^/,
    /unable to describe task definition|task ?definition (was )?(not found|does not exist)/i,
    'no-task-definition',
  ],
  [/^/, /\btask was not found/i, 'missing'],
  [/^/, /unable to assume/i, 'no-role'],
  [/^/, { test: isOfQuota }, 'quota'],
  // What passes by itself comes under the same names as what is wrong with the values.
  [
    /^/,
    /concurrent|in progress|in transition|(try|retry)\b.{0,20}\b(again|later)|rate exceeded|throttl|temporar|being (creat|updat|delet|provision|regist)/i,
    'busy',
  ],
  [
    /^(InvalidParameter|Client|Platform|UnsupportedFeature|NamespaceNotFound|Validation|Serialization)/,
    /^/,
    'invalid',
  ],
];

function isOfQuota(text: string): boolean {
  return (
    saysInOrder(text, /limit|quota|maximum number/i, /exceed|reach/i) ||
    saysInOrder(text, /exceed/i, / the (limit|quota|maximum)/i)
  );
}

function kindOf(name: string, text: string): RefusalKind {
  return kinds.find(([names, texts]) => names.test(name) && texts.test(text))?.[2] ?? 'other';
}

/** `failed`: for what neither the values nor the rights are to blame: ProvisionFailed, UpdateFailed, DestroyFailed. */
export function refusalError(refusal: EcsRefusal, failed: ErrorCode): ComputeError {
  const { kind, text, name, site } = refusal;
  const says = `${siteName(site)} refuses ${site.action}: ${text === '' ? name : text}`;
  switch (kind) {
    case 'invalid':
    case 'no-task-definition':
      return new ComputeError('InvalidSpec', says);
    case 'no-role':
      return new ComputeError(
        'AccessDenied',
        `${says} (do the roles of the task definition, and the service-linked role AWSServiceRoleForECS, exist?)`,
      );
    case 'quota':
      return new ComputeError(failed, `${says} (ask AWS for a higher quota, or remove what is not needed)`);
    case 'cluster-gone':
    case 'missing':
    case 'inactive':
    case 'exists':
    case 'draining':
    case 'busy':
    case 'other':
      break;
  }
  return new ComputeError(failed, says);
}
