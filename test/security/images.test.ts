import { describe, expect, test } from 'vitest';
import { dockerOperator, withImage } from './docker-operator.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('an image that the operator has not allowed', () => {
  test.each([
    ['nginx*', 'nginx.attacker.example/pwn'],
    ['nginx:*', 'nginx:5000/evil/pwn'],
    ['docker.io/*', 'EVIL/pwn'],
    ['docker.io/*', 'evil/pwn'],
    ['registry.example*', 'registry.example.attacker.example/x'],
    ['registry.example/*', 'registry.example/team/../../x'],
    ['registry.example/team/*', 'registry.example/team/sub/x'],
    ['registry.example/app:1.*', `registry.example/app:1.0@${digest}`],
    ['registry.example/app:1.*', `registry.example/app@${digest}`],
  ])('with %s: %s is refused before anything is asked of the engine', async (pattern, image) => {
    const operator = dockerOperator({ policy: { allowed_images: [pattern] } });
    expect(await operator.apply('team-a', withImage(image))).toMatch(
      /^(PolicyDenied: policy\.allowed_images: |InvalidSpec: )/,
    );
    expect(await operator.apply('team-a', { computeConfig: { docker: { image } } })).toMatch(
      /^(PolicyDenied: policy\.allowed_images: |InvalidSpec: )/,
    );
    expect(operator.engine.calls).toEqual([]);
  });
});

describe("an image's id, by which an engine gives out whatever it has", () => {
  test.each([digest, 'sha256:0123', digest.slice('sha256:'.length), '0123456789ab'])(
    '%s is refused',
    async (image) => {
      const operator = dockerOperator();
      expect(await operator.apply('team-a', withImage(image))).toMatch(
        /^InvalidSpec: spec\.containers\[0\]\.image: must name an image, not an image's id/,
      );
      expect(await operator.apply('team-a', { computeConfig: { docker: { image } } })).toMatch(
        /^InvalidSpec: /,
      );
      expect(operator.engine.calls).toEqual([]);
    },
  );
});
