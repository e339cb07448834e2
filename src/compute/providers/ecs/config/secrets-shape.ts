import { z } from 'zod';
import { arnPatternFault } from '../address/arn-pattern.ts';

const secretArnPattern = z.string().superRefine((pattern, context) => {
  const message = arnPatternFault(pattern);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Where the Secrets of tenants are in AWS: the operator's alone to say. */
export const secretsShape = {
  secret_arns: z
    .record(z.string(), secretArnPattern)
    .default({})
    .describe(
      'Where secretKeyRefs are found: pattern NAMESPACE/NAME/KEY to ARN of Secrets Manager or SSM. {namespace}, {name} and ' +
        '{key} stand for those parts in the ARN; what stands between two of them must be in no name, such as "/".',
    ),
  secret_versions: z
    .boolean()
    .default(false)
    .describe(
      'Whether Secrets Manager and SSM are asked which version each secret of spec.containers has, so that a service whose ' +
        'secret was rotated is rolled out. Values are not asked for. Needs secretsmanager:DescribeSecret and ssm:DescribeParameters.',
    ),
};
