import { expect, test } from 'vitest';
import { overlapMs } from '../../dev/demo/rollout-watch.ts';
import { manifestsFrom, readSamples } from '../../dev/demo/samples.ts';

test('images of the samples come from the registry of the demo, wherever they stand; nothing else is changed', () => {
  const text = `
kind: Tenant
metadata: {name: registry.example}
spec:
  computeConfig: {docker: {image: registry.example/app:1}}
  containers: [{name: a, image: registry.example/app:2, args: [--from=registry.example/x]}]
---
kind: Secret
`;
  expect(manifestsFrom(text, '127.0.0.1:5000')).toEqual([
    {
      kind: 'Tenant',
      metadata: { name: 'registry.example' },
      spec: {
        computeConfig: { docker: { image: '127.0.0.1:5000/app:1' } },
        containers: [{ name: 'a', image: '127.0.0.1:5000/app:2', args: ['--from=registry.example/x'] }],
      },
    },
    { kind: 'Secret' },
  ]);
});

test('no sample asks for an image that the demo does not have', async () => {
  const text = JSON.stringify(await readSamples('127.0.0.1:5000'));
  expect(text).not.toContain('registry.example');
  expect([...text.matchAll(/"image":"([^"]+)"/g)].map((match) => match[1])).toEqual(
    expect.arrayContaining(['127.0.0.1:5000/app:1']),
  );
  expect([...new Set([...text.matchAll(/"image":"([^"]+)"/g)].map((match) => match[1]))]).toHaveLength(1);
});

test('two versions overlap from the first answer of the new one to the last of the old one', () => {
  const answers = (...texts: string[]) => ({
    longestGapMs: 0,
    answers: texts.map((text, index) => ({ text, atMs: index * 10 })),
  });
  expect(overlapMs(answers('old', 'new', 'old', 'old', 'new'), 'new')).toBe(20);
  expect(overlapMs(answers('old', 'new', 'new'), 'new')).toBe(-10);
  expect(overlapMs(answers('old', 'old'), 'new')).toBe(-Infinity);
});
