/** Keys as the config has them, in the words of the ECS API: `target_group_arn` as `targetGroupArn`. */

type Camel<Key extends string> = Key extends `${infer Start}_${infer Rest}`
  ? `${Start}${Capitalize<Camel<Rest>>}`
  : Key;

/** What ECS writes otherwise than the rule has it. */
const exceptions = {
  enable_ecs_managed_tags: 'enableECSManagedTags',
  managed_ebs_volume: 'managedEBSVolume',
  size_in_gb: 'sizeInGiB',
  file_system_type: 'filesystemType',
} as const;
type Exceptions = typeof exceptions;

export type Word<Key extends string> = Key extends keyof Exceptions ? Exceptions[Key] : Camel<Key>;

/** Maps of somebody else's keys stay as they are. */
const maps: readonly string[] = ['options'];

export type InWords<Value> = Value extends readonly (infer Item)[]
  ? InWords<Item>[]
  : Value extends object
    ? {
        readonly [Key in keyof Value & string as Word<Key>]: Key extends 'options'
          ? Value[Key]
          : InWords<Value[Key]>;
      }
    : Value;

export function inWords<Value>(value: Value): InWords<Value> {
  return translated(value) as InWords<Value>;
}

export function word(key: string): string {
  return key in exceptions
    ? exceptions[key as keyof Exceptions]
    : key.replaceAll(/_([a-z])/g, (_found, letter: string) => letter.toUpperCase());
}

function translated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(translated);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).flatMap(([key, member]) => {
    if (member === undefined) return [];
    return [[word(key), maps.includes(key) ? (member as unknown) : translated(member)] as const];
  });
  return Object.fromEntries(members);
}
