import { z } from 'zod';
import { dnsLabel, processText } from '../bounded.ts';
import { withRules } from '../rules.ts';
import type { Rule } from '../rules.ts';

/** What is run once before a rollout. No transforms: see ../compute-fields.ts. */

/** Ten minutes: beyond that, a migration mostly waits for a lock that nobody gives up. */
export const defaultReleaseSeconds = 600;

/** A day: whoever asks for more has mistaken the unit. */
const longestReleaseSeconds = 86_400;

export const release = withRules(
  z.strictObject({
    container: dnsLabel.describe(
      'Name of the container of which it is: it has its image, environment, volumes, network and limits.',
    ),
    command: z
      .array(processText)
      .min(1)
      .max(256)
      .optional()
      .describe("Entrypoint, instead of the container's. Not on ECS."),
    args: z.array(processText).min(1).max(256).optional().describe("Arguments, instead of the container's."),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(longestReleaseSeconds)
      .optional()
      .describe(
        `Seconds after which it has failed, and is ended. Default: ${defaultReleaseSeconds}, ten minutes.`,
      ),
  }),
  [
    {
      rule: 'has(self.command) || has(self.args)',
      message: 'must say what to run, by command, args or both',
      holds: ({ command, args }) => command !== undefined || args !== undefined,
    },
  ],
)
  .optional()
  .describe(
    'A command that is run once for each state of the containers, with the new images, before any of them is started or replaced. ' +
      'Where it fails, what ran before runs on.',
  );

export type ReleaseSpec = NonNullable<z.output<typeof release>>;

interface Releasing {
  readonly release?: { readonly container: string } | undefined;
  readonly containers?: readonly { readonly name: string }[] | undefined;
}

/** Of a whole spec. */
export const releaseRules: readonly Rule<Releasing>[] = [
  {
    rule: '!has(self.release) || !has(self.containers) || self.containers.exists(c, c.name == self.release.container)',
    message: 'must be of one of spec.containers',
    fieldPath: '.release.container',
    holds: ({ release: asked, containers }) =>
      asked === undefined ||
      containers === undefined ||
      containers.some(({ name }) => name === asked.container),
  },
];
