import { describe, expect, test } from 'vitest';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { startController } from '../controller/controller-fixture.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';
import type { ScriptedProvider } from '../controller/scripted-provider.ts';
import { key, running } from '../controller/tenant-fixture.ts';

/** What a terminal obeys, or hides, in text that a tenant or its registry chooses: each by what it is for. */
const attacks: readonly (readonly [what: string, text: string])[] = [
  ['a line is wiped and written anew', 'x\u001b[2K\u001b[1Gall is well'],
  ['the clipboard is set (OSC 52)', '\u001b]52;c;ZXZpbA==\u0007'],
  ['the line is written over', 'a\r12:00 INFO forged'],
  ['a C1 introducer stands for ESC [', 'a\u009b31mred'],
  ['a next line (NEL) begins another entry', 'a\u008512:00 INFO forged'],
  ['a line separator does', 'a\u2028b\u2029c'],
  ['text is shown in another order (bidi override)', 'a\u202egpj.exe\u202c'],
  ['an isolate does so', 'a\u2066b\u2069'],
  ['a mark does so', 'a\u200eb\u061cc'],
  ['a name has what no eye sees', 'pay\u200bpal\ufeff\u00ad'],
  ['a backspace hides what stood there', 'rm\b\bls\u007f'],
  ['a tag character smuggles text', 'a\u{e0041}b'],
  ['half a character breaks the encoding', 'a\ud800b'],
];

const dangerous = /[\p{C}\u2028\u2029]/u;

/** Each string in a value, keys included. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...stringsIn(member)]);
}

/** Where text from outside may come in. */
const ways: readonly (readonly [where: string, say: (docker: ScriptedProvider, text: string) => void])[] = [
  [
    'an error',
    (docker, text) => void docker.failures.set('provision', new ComputeError('ProvisionFailed', text)),
  ],
  ['a refusal', (docker, text) => void docker.failures.set('desired', new ComputeError('InvalidSpec', text))],
  ['a step under way', (docker, text) => void docker.steps.push({ outcome: 'in_progress', message: text })],
  [
    'a rollback',
    (docker, text) => void docker.steps.push({ outcome: 'rolled_back', reason: 'RolledBack', message: text }),
  ],
  [
    'what is observed',
    (docker, text) =>
      void (docker.showsAfterStep = {
        message: text,
        compute: {
          ...running,
          health: 'unhealthy',
          containers: [{ name: 'app', state: 'running', ready: false, image: text, message: text }],
        },
      }),
  ],
];

describe.each(attacks)('text by which %s', (_what, text) => {
  test.each(ways)('reaches neither status nor Events through %s', async (_where, say) => {
    const docker = scriptedProvider('docker');
    say(docker, text);
    const fixture = await startController([docker]);
    await fixture.create('acme', {}, { annotations: { [reconcileRequestedAt]: text } });
    await fixture.pass(5_000);
    const texts = [...stringsIn((await fixture.get('acme')).status), ...stringsIn(fixture.events)];
    expect(texts.join('').length).toBeGreaterThan(0);
    expect(texts.filter((one) => dangerous.test(one))).toEqual([]);
  });

  test('reaches neither status nor Events as drift', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { driftPolicy: 'Report' });
    const drift = { path: text, desired: text, actual: text, cause: 'drift', effect: 'replace' } as const;
    docker.workloads.get(key)?.drift.push(drift);
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass(5_000);
    const texts = [...stringsIn((await fixture.get('acme')).status), ...stringsIn(fixture.events)];
    expect((await fixture.get('acme')).status?.drift).toHaveLength(1);
    expect(texts.filter((one) => dangerous.test(one))).toEqual([]);
  });

  test.each(['json', 'text'] as const)('is spelled out in the %s log, on one line', (format) => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', format, write: (line) => void lines.push(line) });
    logger.child({ from: text }).info({ image: text, [text]: 1, err: new Error(text) }, text);
    const [line = '', ...others] = lines;
    expect(others).toEqual([]);
    expect(dangerous.test(line.replaceAll(/\n( {4}|$)/g, ''))).toBe(false);
  });
});

test.each(attacks)('the JSON log still says what it was by which %s', (_what, text) => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line) });
  logger.info({ image: text }, text);
  expect(JSON.parse(lines.join(''))).toMatchObject({ msg: text, image: text });
});

test('a requested reconcile whose value had to be spelled out is answered once', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', {}, { annotations: { [reconcileRequestedAt]: 'now\u001b[2K' } });
  await fixture.pass(5_000);
  expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('now\\u{1b}[2K');
  const looks = docker.calls.filter(({ what }) => what.includes('fresh')).length;
  docker.hint('team-a-acme-9201d5e7');
  await fixture.pass(5_000);
  expect(fixture.passes.length).toBeGreaterThan(1);
  expect(docker.calls.filter(({ what }) => what.includes('fresh'))).toHaveLength(looks);
});
