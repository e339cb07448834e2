import { ComputeError } from '../../../../errors.ts';
import { fillArn } from '../../address/arn-pattern.ts';
import { fitsParts } from '../../address/part-pattern.ts';

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
  const parts = [namespace, name, key];
  const found = Object.entries(secretArns).find(([pattern]) => fitsParts(pattern, parts));
  if (found === undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `the key ${key} of the Secret ${name} is not mapped for ECS, which takes secrets by reference only: ` +
        `have the operator's admin add compute.ecs.secret_arns["${parts.join('/')}"] with the ARN of a Secrets Manager secret or SSM parameter`,
    );
  }
  return fillArn(found[1], secret);
}
