import { describe, expect, test } from 'vitest';
import { engineAddress } from '../../../../../src/compute/providers/docker/engine/engine-address.ts';

describe('the engine is the one of the config, else of DOCKER_HOST, else the default socket', () => {
  test.each([
    [
      'unix:///a.sock',
      'tcp://other:1',
      false,
      { kind: 'unix', socketPath: '/a.sock', display: 'unix:///a.sock' },
    ],
    ['', 'unix:///b.sock', false, { kind: 'unix', socketPath: '/b.sock', display: 'unix:///b.sock' }],
    [
      '',
      'tcp://engine.example',
      false,
      { kind: 'tcp', hostname: 'engine.example', port: 2375, display: 'tcp://engine.example:2375' },
    ],
    [
      '',
      'engine.example:2377',
      false,
      { kind: 'tcp', hostname: 'engine.example', port: 2377, display: 'tcp://engine.example:2377' },
    ],
    [
      'tcp://engine.example',
      undefined,
      true,
      { kind: 'tcp', hostname: 'engine.example', port: 2376, display: 'tcp://engine.example:2376' },
    ],
    [
      'tcp://[::1]:4243',
      undefined,
      false,
      { kind: 'tcp', hostname: '::1', port: 4243, display: 'tcp://[::1]:4243' },
    ],
    [
      'http://engine.example',
      undefined,
      false,
      { kind: 'tcp', hostname: 'engine.example', port: 2375, display: 'tcp://engine.example:2375' },
    ],
    [
      'https://engine.example',
      undefined,
      false,
      { kind: 'tcp', hostname: 'engine.example', port: 2376, display: 'tcp://engine.example:2376' },
    ],
    [
      'ssh://engine.example',
      undefined,
      false,
      { kind: 'ssh', destination: 'ssh://engine.example', display: 'ssh://engine.example' },
    ],
    [
      'ssh://bob@engine.example:2222',
      undefined,
      false,
      { kind: 'ssh', destination: 'ssh://bob@engine.example:2222', display: 'ssh://bob@engine.example:2222' },
    ],
  ])('%j %j', (host, env, tls, expected) => {
    expect(engineAddress(host, env, tls)).toEqual(expected);
  });

  test.each(['', undefined])('nothing said (%j) means the default socket', (env) => {
    expect(engineAddress('', env, false).display).toMatch(/^unix:\/\/.*docker\.sock$/);
  });

  test.each([
    ['npipe:////./pipe/docker_engine', undefined, /^compute\.docker\.host: /],
    ['gopher://engine.example', undefined, /^compute\.docker\.host: not the address of a Docker Engine/],
    ['', 'tcp://', /^DOCKER_HOST: .*unix:\/\/\/PATH/],
    ['ssh://bob:s3cret@engine.example', undefined, /can't hold a password/],
  ])('%j %j is refused, naming where it came from', (host, env, message) => {
    expect(() => engineAddress(host, env, false)).toThrow(message);
    expect(() => engineAddress(host, env, false)).not.toThrow(/s3cret/);
  });

  test('a password in the address stands in no message', () => {
    expect(engineAddress('tcp://bob:s3cret@engine.example:1', undefined, false).display).toBe(
      'tcp://engine.example:1',
    );
  });
});
