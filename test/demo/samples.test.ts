import { expect, test } from 'vitest';
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
