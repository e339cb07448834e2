import { z } from 'zod';
import { processText } from '../bounded.ts';
import { withRules } from '../rules.ts';

/** How the engine finds out whether a container is healthy. No transforms: see compute-fields.ts. */

/** A day: whoever asks for more has mistaken the unit. */
const longestSeconds = 86_400;

/** A millisecond: engines take no shorter times. */
const shortestSeconds = 0.001;

const seconds = z.number().min(shortestSeconds).max(longestSeconds);

/** Of whole numbers, the apiserver takes the bound for a whole one, too, which is 0. */
const boundsOfTimes = (['intervalSeconds', 'timeoutSeconds', 'startIntervalSeconds'] as const).map(
  (field) => ({
    rule: `!has(self.${field}) || self.${field} >= ${shortestSeconds}`,
    message: `must be at least ${shortestSeconds}`,
    fieldPath: `.${field}`,
  }),
);

const ways = ['command', 'shell'] as const;

/** Of a CEL rule: how many of them there are. */
const countOfWays = [
  ...ways.map((way) => `(has(self.${way}) ? 1 : 0)`),
  '(has(self.disable) && self.disable ? 1 : 0)',
];

export const healthCheck = withRules(
  z.strictObject({
    command: z
      .array(processText.min(1))
      .min(1)
      .max(64)
      .optional()
      .describe('Command and arguments run inside the container; exit code 0 means healthy. No shell.'),
    shell: processText
      .min(1)
      .optional()
      .describe("Command line for the image's /bin/sh, inside the container; exit code 0 means healthy."),
    disable: z
      .boolean()
      .optional()
      .describe('true: nothing is checked, not even by the health check of the image.'),
    intervalSeconds: seconds.optional().describe('Seconds between two checks. Default: 10.'),
    timeoutSeconds: seconds
      .optional()
      .describe('Seconds after which a check has failed. Default: 3, or the interval if shorter.'),
    retries: z
      .int()
      .min(1)
      .max(2_147_483_647)
      .optional()
      .describe('Failures in a row that make the container unhealthy. Default: 3.'),
    startPeriodSeconds: z
      .number()
      .min(0)
      .max(longestSeconds)
      .optional()
      .describe('Seconds after the start during which failures do not count. Default: 0.'),
    startIntervalSeconds: seconds
      .optional()
      .describe(
        "Seconds between two checks during these. Default: the engine's. Docker has it from 25.0 on, ECS has none.",
      ),
  }),
  [
    {
      rule: `${countOfWays.join(' + ')} == 1`,
      message: 'must have exactly one of command, shell and disable: true',
      holds: (check) =>
        ways.filter((way) => check[way] !== undefined).length + (check.disable === true ? 1 : 0) === 1,
    },
    ...boundsOfTimes,
  ],
);

export type HealthCheck = z.output<typeof healthCheck>;

export interface CheckFigures {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly startPeriodSeconds: number;
}

/** All figures of a check, be they said or not. */
export function checkFigures(check: HealthCheck): CheckFigures {
  const { intervalSeconds = 10, retries = 3, startPeriodSeconds = 0 } = check;
  const { timeoutSeconds = Math.min(3, intervalSeconds) } = check;
  return { intervalSeconds, timeoutSeconds, retries, startPeriodSeconds };
}

/**
 * What is hashed of a check. What is not said is the same as in so many words, but for the timeout: so it was while the
 * figures had defaults in the CRD.
 */
export function hashedCheck(check: HealthCheck | undefined): object | undefined {
  if (check === undefined) return undefined;
  if (check.disable === true) return { disable: true };
  const { disable: _none, timeoutSeconds, ...said } = check;
  return { ...said, ...checkFigures(check), timeoutSeconds };
}
