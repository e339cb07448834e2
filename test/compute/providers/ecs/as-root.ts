import { afterEach, beforeEach, vi } from 'vitest';
import { rootCredentials } from '../../../../dev/ecs-endpoint.ts';

/** Each test of the file calls the endpoint by the credentials of its environment, which are the endpoint's own. */
export function callAsRoot(): void {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
}
