import { ComputeError } from '../../../../errors.ts';
import { fillArn } from '../../address/arn-pattern.ts';

/** Where a secretKeyRef is found in AWS, by the operator's `secret_arns`: the value itself never passes through here. */

export interface SecretKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/**
 * The ARN of the first pattern that fits, with `{namespace}`, `{name}` and `{key}` filled in.
 * Throws InvalidSpec, saying what the operator's admin would have to add.
 */
export function secretArn(secretArns: Readonly<Record<string, string>>, secret: SecretKey): string {
  const { namespace, name, key } = secret;
  const text = `${namespace}/${name}/${key}`;
  const found = Object.entries(secretArns).find(([pattern]) => fits(pattern, text));
  if (found === undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `the key ${key} of the Secret ${name} is not mapped for ECS, which takes secrets by reference only: ` +
        `have the operator's admin add compute.ecs.secret_arns["${text}"] with the ARN of a Secrets Manager secret or SSM parameter`,
    );
  }
  return fillArn(found[1], secret);
}

/** `*` stands for any characters within one of the three parts. */
function fits(pattern: string, text: string): boolean {
  const patterns = pattern.split('/');
  const parts = text.split('/');
  return (
    patterns.length === parts.length && patterns.every((part, index) => fitsPart(part, parts[index] ?? ''))
  );
}

/** In one go through the text, which a RegExp of many `.*` does not take. */
function fitsPart(pattern: string, text: string): boolean {
  const [start = '', ...between] = pattern.split('*');
  const end = between.pop();
  if (end === undefined) return text === start;
  if (!text.startsWith(start) || !text.endsWith(end)) return false;
  let from = start.length;
  for (const plain of between) {
    const found = text.indexOf(plain, from);
    if (found === -1) return false;
    from = found + plain.length;
  }
  return from <= text.length - end.length;
}
