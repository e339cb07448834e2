import { describe, expect, test } from 'vitest';
import {
  pullFailure,
  silentRegistry,
} from '../../../../../../src/compute/providers/docker/engine/images/pull-failure.ts';
import { parseImageReference } from '../../../../../../src/compute/spec/image-reference.ts';

const reference = 'registry.example:5000/team/app:1.4';
const subject = {
  reference,
  parsed: parseImageReference(reference),
  host: 'unix:///run/docker.sock',
  hasCredentials: false,
};
const registry = 'https://registry.example:5000/v2';

describe('a failed pull names image, registry and mend', () => {
  test.each([
    [
      404,
      `manifest for ${reference} not found: manifest unknown: manifest unknown`,
      /\(manifest unknown\): is the tag right\?/,
    ],
    [404, 'name unknown: repository name not known to registry', /no repository team\/app/],
    [
      500,
      `Head "${registry}/team/app/manifests/1.4": no basic auth credentials`,
      /wants credentials.*spec\.imagePullSecrets.*compute\.docker\.registries/,
    ],
    [
      500,
      `Head "${registry}/team/app/manifests/1.4": unauthorized: authentication required`,
      /wants credentials/,
    ],
    [
      404,
      "pull access denied for team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      /wants credentials/,
    ],
    [
      500,
      `Get "${registry}/": dial tcp 192.0.2.7:5000: connect: connection refused`,
      /registry registry\.example:5000 is down/,
    ],
    [
      500,
      `Get "${registry}/": dial tcp: lookup registry.example on 192.0.2.53:53: no such host`,
      /no registry registry\.example:5000/,
    ],
    [500, 'toomanyrequests: You have reached your pull rate limit', /limits the rate of pulls/],
    [500, 'received unexpected HTTP status: 503 Service Unavailable', /in trouble \(HTTP 503\)/],
    [
      500,
      `Get "${registry}/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
      /does not answer in time/,
    ],
    [
      500,
      `Get "${registry}/": read tcp 192.0.2.1:41234->192.0.2.7:5000: read: connection reset by peer`,
      /breaks/,
    ],
    [500, `Get "${registry}/": x509: certificate signed by unknown authority`, /does not trust/],
    [500, `Get "${registry}/": http: server gave HTTP response to HTTPS client`, /does not trust/],
    [404, 'no matching manifest for linux/amd64 in the manifest list entries', /platform/],
    [500, 'write /var/lib/docker/tmp/x: no space left on device', /disk is full/],
    [500, 'something new', /can't be pulled: something new/],
  ])('%i %s', (status, text, message) => {
    const error = pullFailure(subject, { status, text });
    expect(error.code).toBe('ImageUnavailable');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(reference);
    expect(error.message).not.toMatch(/41234/);
  });

  test('a bad reference is the spec to be corrected', () => {
    const error = pullFailure(subject, { status: 400, text: 'invalid reference format' });
    expect(error.code).toBe('InvalidSpec');
  });

  test('a registry that limits is left alone for a while', () => {
    const retryAfterMs = (text: string) => pullFailure(subject, { status: 500, text }).retryAfterMs;
    expect(retryAfterMs('toomanyrequests: slow')).toBe(60_000);
    expect(retryAfterMs('connection refused')).toBeUndefined();
  });

  test('credentials that are refused are told from those that are missing', () => {
    const error = pullFailure(
      { ...subject, hasCredentials: true },
      { status: 500, text: 'unauthorized: authentication required' },
    );
    expect(error.message).toMatch(/refuses the credentials.*spec\.imagePullSecrets/);
  });

  test('a digest that is missing is not blamed on the tag', () => {
    const pinned = `registry.example/app@sha256:${'a'.repeat(64)}`;
    const error = pullFailure(
      { ...subject, reference: pinned, parsed: parseImageReference(pinned) },
      { status: 404, text: 'manifest unknown' },
    );
    expect(error.message).toMatch(/is the digest right\?/);
  });

  test("the image's own name is not taken for a cause", () => {
    const odd = 'registry.example/denied/unauthorized:x509';
    const error = pullFailure(
      { ...subject, reference: odd, parsed: parseImageReference(odd) },
      { status: 404, text: `manifest for ${odd} not found: manifest unknown` },
    );
    expect(error.message).toMatch(/manifest unknown/);
  });

  test('an engine in trouble is not blamed on the image', () => {
    expect(pullFailure(subject, { status: 503, text: 'starting' }).code).toBe('ProviderUnavailable');
  });

  test('a silent registry is named', () => {
    expect(silentRegistry(subject)).toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringContaining('registry.example:5000'),
    });
  });
});
