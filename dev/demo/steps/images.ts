import { endpointOf, historyOf, httpGet, imageCommand, imagePatch, messageOf, tenantWith } from '../look.ts';
import { longestSilence, overlapMs, watchRollout } from '../rollout-watch.ts';
import type { RolloutWatch } from '../rollout-watch.ts';
import { defineStep, Unmet } from '../step.ts';
import type { Stage } from '../stage.ts';

/** The life of `hello` from version 1 to version 4, with a bad image and a crashing one in between. */

const tenantName = 'hello';

/** Looks in a row without an answer: one may meet a machine that is too busy to answer in time. */
const toleratedSilence = 2;

async function setImage(stage: Stage, tag: string): Promise<RolloutWatch> {
  const watch = watchRollout(stage, tenantName);
  await stage.objects.patch('Tenant', tenantName, imagePatch(stage.image(tag)));
  return watch;
}

/** A rollout to `tag` that is done, with the old version answering until the new one did. */
function rollTo(tag: string, title: string) {
  const answer = `version ${tag}`;
  return defineStep({
    title,
    command: (stage) => imageCommand(tenantName, stage.image(tag)),
    act: (stage) => setImage(stage, tag),
    expect: (stage) => ({
      text: `${tenantName} is Ready and its endpoint answers "${answer}"`,
      tenant: tenantName,
      look: async () => {
        const tenant = tenantWith(stage, tenantName, 'Running');
        if (tenant === undefined) return undefined;
        return (await httpGet(endpointOf(tenant))) === answer || undefined;
      },
    }),
    seen: async (stage, watch) => {
      const rollout = await watch.stop();
      const overlap = overlapMs(rollout, answer);
      if (overlap < 0) {
        const seen = `nobody answered for ${-overlap} ms between the two versions`;
        throw new Unmet(`the old version answers until the new one does`, tenantName, seen);
      }
      return (
        `both versions answered for ${(overlap / 1000).toFixed(1)} s, then "${answer}" alone; ` +
        `${tenantName} was ${historyOf(stage, tenantName)}`
      );
    },
  });
}

/** An image that can't be rolled out: the status says why, and `still` goes on answering. */
function refuse(options: {
  tag: string;
  still: string;
  reason: 'ImageUnavailable' | 'RolledBack';
  title: string;
}) {
  const { tag, still, reason, title } = options;
  const answer = `version ${still}`;
  return defineStep({
    title,
    command: (stage) => imageCommand(tenantName, stage.image(tag)),
    act: (stage) => setImage(stage, tag),
    expect: (stage) => ({
      text: `${tenantName} is ${reason} and its endpoint answers "${answer}"`,
      tenant: tenantName,
      look: async () => {
        const tenant = tenantWith(stage, tenantName, reason);
        if (tenant === undefined) return undefined;
        return (await httpGet(endpointOf(tenant))) === answer ? tenant : undefined;
      },
    }),
    seen: async (_stage, watch, tenant) => {
      const silence = longestSilence(await watch.stop(), answer);
      if (silence > toleratedSilence) {
        const seen = `nobody did in ${silence} looks in a row`;
        throw new Unmet(`"${answer}" is answered all the time`, tenantName, seen);
      }
      return `Ready=False, ${reason}: ${messageOf(tenant)}; "${answer}" was answered all the time`;
    },
  });
}

export const newImage = rollTo(
  '2',
  'An image is rolled to version 2; the old one serves until the new one does.',
);

export const badImage = refuse({
  tag: 'missing',
  still: '2',
  reason: 'ImageUnavailable',
  title: 'An image that does not exist is refused while version 2 serves.',
});

export const crashingImage = refuse({
  tag: '3-crashes',
  still: '2',
  reason: 'RolledBack',
  title: 'An image that crashes is rolled back while version 2 serves.',
});

export const fixedImage = rollTo('4', 'The fixed image is rolled out as if nothing had happened.');
