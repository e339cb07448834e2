import { containerName, historyOf, tenantWith } from '../look.ts';
import { defineStep } from '../step.ts';

export const killedContainer = defineStep({
  title: 'A container is killed by hand, and the operator starts it again.',
  command: (stage) => `docker kill ${containerName(stage, 'hello')}`,
  act: async (stage) => {
    const killedAtMs = Date.now();
    await stage.engine.kill(containerName(stage, 'hello'));
    return killedAtMs;
  },
  expect: (stage, killedAtMs) => ({
    text: 'hello runs again and is Ready',
    tenant: 'hello',
    look: async () => {
      const container = await stage.engine.inspect(containerName(stage, 'hello'));
      const isBack = container?.running === true && container.startedMs > killedAtMs;
      const wasNoticed = stage.fleet.history('hello').length > 1;
      if (!isBack || !wasNoticed || tenantWith(stage, 'hello', 'Running') === undefined) return undefined;
      return container.startedMs - killedAtMs;
    },
  }),
  seen: (stage, _killedAtMs, repairMs) =>
    `it ran again ${repairMs} ms after the kill; hello was ${historyOf(stage, 'hello')}`,
});
