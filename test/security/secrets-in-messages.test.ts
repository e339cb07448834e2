import type Dockerode from 'dockerode';
import { describe, expect, test } from 'vitest';
import type { ComputeError } from '../../src/compute/errors.ts';
import { EngineRefusal } from '../../src/compute/providers/docker/engine/engine.ts';
import { SecretValue } from '../../src/compute/spec/secret-value.ts';
import { containerSpec, drivenDocker, tenantSpec } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';

/** A container, or the engine, repeats a secret that it was given: whole, in part, or as texts quote it. */

const signal = new AbortController().signal;
const pem = '-----BEGIN KEY----- MIIEvQIBADANBg\nSECONDLINE+of/it==\nTHIRDLINE\n-----END KEY-----\n';
const jwt = `eyJhbGciOi${'J'.repeat(5_000)}`;

const cases: readonly (readonly [what: string, secret: string, said: string, untold: readonly string[]])[] = [
  ['a secret', 'hunter2', 'bad value hunter2', ['hunter2']],
  ['the first line of a PEM', pem, 'can not use -----BEGIN KEY----- MIIEvQIBADANBg', ['MIIEvQ']],
  ['its second line', pem, 'can not use SECONDLINE+of/it==', ['SECONDLINE']],
  ['all its lines', pem, `can not use ${pem}`, ['MIIEvQ', 'SECONDLINE', 'THIRDLINE', 'END KEY']],
  ['a PEM as one line', pem, `can not use ${pem.replaceAll('\n', ' ')}`, ['SECONDLINE', 'THIRDLINE']],
  ['a PEM as JSON has it', pem, `{"key":${JSON.stringify(pem)}}`, ['SECONDLINE', 'THIRDLINE']],
  ['a long token', jwt, `token ${jwt}`, ['eyJh', 'JJJJ']],
  ['the start of a long token', jwt, `token ${jwt.slice(0, 4_090)}`, ['eyJh', 'JJJJ']],
  ['a token that starts late', jwt, `${'x'.repeat(180)} ${jwt}`, ['eyJh', 'JJJJ']],
  ['its base64', 'hunter2-hunter2', 'Basic aHVudGVyMi1odW50ZXIy', ['aHVudGVyMi']],
  ['its form in a URL', 'p@ss w/rd', 'GET /?p=p%40ss%20w%2Frd', ['p%40ss']],
  [
    'credentials of HTTP',
    'hunter2-hunter2',
    `Basic ${btoa('bob:hunter2-hunter2')}`,
    ['aHVudGVyMi', 'h1bnRlcj'],
  ],
  [
    'its form in Go',
    'p&ss\u001bw<rd',
    'bad p\\u0026ss\\u001bw\\u003crd, "p&ss\\x1bw<rd"',
    ['ss\\u', 'ss\\x'],
  ],
  ['a line with blanks', 'user:  pass   word\nx', 'no login as user: pass word', ['pass word']],
];

const specOf = (secret: string, args: string[] = []) => {
  const env = [{ name: 'P', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue(secret) }];
  return tenantSpec({}, { containers: [containerSpec('app', { env, args })] });
};

/** What becomes of the call, in all of its words. */
async function told(call: Promise<unknown>): Promise<string> {
  const result = await call.catch(({ code, message }: ComputeError) => ({ code, message }));
  return JSON.stringify(result);
}

function probed(engine: MemoryEngine, Output: string): MemoryEngine['inspectContainer'] {
  const inspect = engine.inspectContainer.bind(engine);
  return async (id, aborted) => {
    const found = await inspect(id, aborted);
    if (found?.State.Status !== 'running' || !found.Name.endsWith('_next')) return found;
    const Log = [{ Start: '', End: '', ExitCode: 1, Output: Output.slice(0, 4_096) }];
    const Health = { Status: 'unhealthy', FailingStreak: 1, Log };
    const State = { ...found.State, Health } satisfies Dockerode.ContainerInspectInfo['State'];
    return { ...found, State };
  };
}

describe.each(cases)('%s is not told', (_what, secret, said, untold) => {
  test.each(['createContainer', 'startContainer'] as const)('where %s is refused', async (call) => {
    const engine = memoryEngine(['app:1']);
    engine[call] = async () => {
      throw new EngineRefusal('invalid', 400, `refused: ${said}`);
    };
    const text = await told(drivenDocker(engine).provision(specOf(secret), signal));
    expect(text).toContain('[redacted]');
    for (const part of untold) expect(text).not.toContain(part);
  });

  test('where a health check of a rollout says it', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine);
    await provider.provision(specOf(secret), signal);
    engine.inspectContainer = probed(engine, said);
    const text = await told(provider.update(specOf(secret, ['x']), signal));
    expect(text).toContain('fails its health check');
    for (const part of untold) expect(text).not.toContain(part);
    const seen = await told(provider.getStatus(specOf(secret, ['x']), { fresh: true, signal }));
    for (const part of untold) expect(seen).not.toContain(part);
  });
});

test('a password for a registry is not told either', async () => {
  const engine = memoryEngine(['app:1']);
  engine.createContainer = async () => {
    throw new EngineRefusal('other', 500, 'can not log in as bot with registry-pw-1');
  };
  const credential = { registry: 'r.example', username: 'bot', password: new SecretValue('registry-pw-1') };
  const spec = { ...specOf('hunter2'), imagePullCredentials: [credential] };
  expect(await told(drivenDocker(engine).provision(spec, signal))).not.toContain('registry-pw-1');
});
