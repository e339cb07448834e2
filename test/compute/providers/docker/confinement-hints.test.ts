import { describe, expect, it } from 'vitest';
import { drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const setuid = /may need no_new_privileges: false, which policy\.docker\.allow_setuid allows/;
const suOutput =
  '\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0020su: must be suid to work properly hunter2\n';

function failing(output: string, policy = {}) {
  const engine = memoryEngine(['app:1', 'crash:1']);
  engine.outputs.set('crash:1', output);
  const provider = drivenDocker(engine, settings({}, policy));
  const messageOf = async (config: Record<string, unknown> = {}): Promise<string> => {
    const spec = tenantSpec({ image: 'crash:1', ...config });
    await provider.provision(spec, signal);
    return (await provider.getStatus(spec, { fresh: true, signal })).message ?? '';
  };
  return { engine, provider, messageOf };
}

describe('a container that is kept from what it wants, and fails', () => {
  it.each<[string, RegExp]>([
    [suOutput, setuid],
    ['sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the nosuid option', setuid],
    ['sudo: The "no new privileges" flag is set', setuid],
    ['ping: socket: Operation not permitted', /cap_add, which policy\.docker\.allow_capabilities allows/],
    [
      'sh: fork: retry: Resource temporarily unavailable',
      /pids_limit, which policy\.docker\.allow_unlimited/,
    ],
    ["sh: can't fork: Resource temporarily unavailable", /pids_limit/],
  ])('is told of with the rule: %j', async (output, rule) => {
    const message = await failing(output).messageOf();
    expect(message).toMatch(/^container app keeps exiting with code 3 \(by its output, it may need /);
    expect(message).toMatch(rule);
    expect(message).not.toContain('hunter2');
  });

  it('is told of with its init, where it has one', async () => {
    const output = 's6-overlay-suexec: fatal: can only run as pid 1';
    expect(await failing(output).messageOf({ init: true })).toContain(
      'may need to be process 1 itself, without init: true',
    );
    expect(await failing(output).messageOf()).not.toContain('by its output');
  });

  it('is not told of what it has', async () => {
    const granted = failing(suOutput, { allow_setuid: true });
    expect(await granted.messageOf({ no_new_privileges: false })).not.toContain('by its output');
    const free = failing("can't fork", { allow_unlimited: true });
    expect(await free.messageOf({ unlimited: ['pids'] })).not.toContain('by its output');
  });

  it('is asked for its output once, however often it fails and is looked at', async () => {
    const { engine, messageOf } = failing('nothing of interest');
    for (let look = 0; look < 3; look += 1) expect(await messageOf()).toContain('keeps exiting');
    expect(engine.calls.filter((call) => call === 'lastOutput')).toHaveLength(1);
  });

  it('is told of where it was to replace one that goes on', async () => {
    const { provider } = failing(suOutput);
    await provider.provision(tenantSpec(), signal);
    const result = await provider.update(tenantSpec({ image: 'crash:1', restart_policy: 'no' }), signal);
    expect(result).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(setuid) as string,
    });
  });
});

it('one that runs well is not asked for its output, nor one that was stopped', async () => {
  const { engine, provider } = failing('');
  await provider.provision(tenantSpec(), signal);
  for (const container of engine.containers.values())
    Object.assign(container, { state: 'exited', exitCode: 143 });
  await provider.getStatus(tenantSpec(), { fresh: true, signal });
  expect(engine.calls).not.toContain('lastOutput');
});
