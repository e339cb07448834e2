import { ListClustersCommand } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CredentialsTrouble } from '../../../../../src/compute/providers/ecs/engine/ecs-errors.ts';
import { createSessions } from '../../../../../src/compute/providers/ecs/engine/ecs-sessions.ts';
import type {
  EcsSessions,
  SessionOptions,
} from '../../../../../src/compute/providers/ecs/engine/ecs-sessions.ts';
import { reply, startStandIn } from '../aws-stand-in.ts';
import type { StandIn } from '../aws-stand-in.ts';

const region = 'us-west-2';
const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const own = 'OWN';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', own);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function sessionsOf(options: Partial<SessionOptions> = {}): EcsSessions {
  const sessions = createSessions({
    termsOf: () => ({}),
    connectMs: 3_000,
    requestMs: 10_000,
    follow: () => undefined,
    ...options,
  });
  onTestFinished(() => sessions.close());
  return sessions;
}

/** An STS that gives the role's name for a key, and an ECS beside it. */
async function startAws(): Promise<StandIn> {
  const standIn = await startStandIn(({ operation, input }, response) => {
    if (operation !== 'AssumeRole') return reply(response, {});
    const name = String(input['RoleArn']).split('/')[1];
    const expiry = new Date(Date.now() + 3_600_000).toISOString();
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${name}</AccessKeyId>` +
        `<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiry}</Expiration>` +
        '</Credentials></AssumeRoleResult></AssumeRoleResponse>',
    );
  });
  onTestFinished(() => standIn.stop());
  vi.stubEnv('AWS_ENDPOINT_URL_STS', standIn.url);
  vi.stubEnv('AWS_ENDPOINT_URL_ECS', standIn.url);
  return standIn;
}

const call = (sessions: EcsSessions, roleArn?: string) =>
  sessions.of({ region, ...(roleArn !== undefined && { roleArn }) }).client.send(new ListClustersCommand({}));
const asked = ({ calls }: StandIn) =>
  calls.map(({ operation, input, accessKeyId }) => [operation, input['RoleArn'], accessKeyId]);

describe('a session', () => {
  test('calls its region once and never by itself again, with the deadlines that it was given', async () => {
    await startAws();
    const sessions = sessionsOf();
    await call(sessions);
    const { config } = sessions.of({ region }).client;
    expect(await config.region()).toBe(region);
    expect(await config.maxAttempts()).toBe(1);
    const handler = config.requestHandler as unknown as { httpHandlerConfigs(): object };
    expect(handler.httpHandlerConfigs()).toMatchObject({
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
    });
  });

  test('is one for each role and region, and another one once they were closed', () => {
    const sessions = sessionsOf();
    const scopes = [
      { region },
      { region: 'eu-west-1' },
      { region, roleArn: role('a') },
      { region, roleArn: role('b') },
      { region: 'eu-west-1', roleArn: role('a') },
    ];
    const made = scopes.map((scope) => sessions.of(scope));
    expect(new Set(made).size).toBe(5);
    expect(scopes.map((scope) => sessions.of({ ...scope }))).toEqual(made);
    const destroyed = made.map(({ client }) => vi.spyOn(client, 'destroy'));
    sessions.close();
    for (const destroy of destroyed) expect(destroy).toHaveBeenCalledOnce();
    expect(sessions.of({ region })).not.toBe(made[0]);
  });

  test('goes to the endpoint of the operator’s, which messages name without its path', async () => {
    const sessions = sessionsOf({ endpoint: 'http://127.0.0.1:4566/path' });
    const { endpoint } = sessions.of({ region }).client.config;
    expect(await endpoint?.()).toMatchObject({ hostname: '127.0.0.1', port: 4566, path: '/path' });
    expect(sessions.site({ region, roleArn: role('a') }, 'CreateService')).toEqual({
      action: 'ecs:CreateService',
      region,
      roleArn: role('a'),
      endpoint: 'http://127.0.0.1:4566',
    });
  });

  test('has a client of Application Auto Scaling with the same credentials, which goes where that of ECS goes', async () => {
    const session = sessionsOf({ endpoint: 'http://127.0.0.1:4566' }).of({ region });
    const { scaling, client } = session;
    expect(scaling()).toBe(scaling());
    expect(await scaling().config.endpoint?.()).toMatchObject({ hostname: '127.0.0.1', port: 4566 });
    expect((await scaling().config.credentials()).accessKeyId).toBe(own);
    const destroyed = [client, scaling()].map((one) => vi.spyOn(one, 'destroy'));
    session.close();
    for (const destroy of destroyed) expect(destroy).toHaveBeenCalledOnce();
  });

  test('asks AWS itself about autoscaling where its endpoint is one of ECS in a VPC', async () => {
    const endpoint = 'https://vpce-1.ecs.us-west-2.vpce.amazonaws.com';
    const sessions = sessionsOf({ endpoint });
    expect(sessions.of({ region }).scaling().config.isCustomEndpoint).not.toBe(true);
    const action = 'application-autoscaling:PutScalingPolicy';
    expect(sessions.site({ region }, action)).toEqual({ action, region });
    expect(sessions.site({ region }, 'CreateService')).toMatchObject({ endpoint });
  });

  test('else goes to AWS itself, and messages name neither endpoint nor role', () => {
    const sessions = sessionsOf();
    expect(sessions.site({ region }, 'CreateService')).toEqual({ action: 'ecs:CreateService', region });
    expect(sessions.of({ region }).client.config.isCustomEndpoint).not.toBe(true);
  });

  test('without a role calls with the operator’s own credentials', async () => {
    const aws = await startAws();
    await call(sessionsOf());
    expect(asked(aws)).toEqual([['ListClusters', undefined, own]]);
  });
});

describe('a role', () => {
  test('is assumed once for many calls, under the operator’s terms', async () => {
    const aws = await startAws();
    const termsOf = vi.fn<SessionOptions['termsOf']>(() => ({ externalId: 'x-1', sessionName: 'prod' }));
    const sessions = sessionsOf({ termsOf, sessionSeconds: 900 });
    await call(sessions, role('a'));
    await call(sessions, role('a'));
    expect(asked(aws)).toEqual([
      ['AssumeRole', role('a'), own],
      ['ListClusters', undefined, 'a'],
      ['ListClusters', undefined, 'a'],
    ]);
    expect(aws.calls[0]?.input).toMatchObject({
      RoleSessionName: 'prod',
      ExternalId: 'x-1',
      DurationSeconds: '900',
    });
    expect(termsOf).toHaveBeenCalledExactlyOnceWith(role('a'));
  });

  test('without terms is assumed as landlord, for as long as STS likes, for nobody in particular', async () => {
    const aws = await startAws();
    await call(sessionsOf(), role('a'));
    const { input } = aws.calls[0] ?? {};
    expect(input?.['RoleSessionName']).toBe('landlord');
    expect(Object.keys(input ?? {})).not.toContain('ExternalId');
    expect(Object.keys(input ?? {})).not.toContain('DurationSeconds');
  });

  test('of a tenant is assumed with the role of the operator’s', async () => {
    const aws = await startAws();
    const sessions = sessionsOf({ baseRoleArn: role('hub') });
    await call(sessions, role('a'));
    expect(asked(aws)).toEqual([
      ['AssumeRole', role('hub'), own],
      ['AssumeRole', role('a'), 'hub'],
      ['ListClusters', undefined, 'a'],
    ]);
  });

  test('of the operator’s itself is assumed with its own credentials', async () => {
    const aws = await startAws();
    await call(sessionsOf({ baseRoleArn: role('hub') }), role('hub'));
    expect(asked(aws)).toEqual([
      ['AssumeRole', role('hub'), own],
      ['ListClusters', undefined, 'hub'],
    ]);
  });

  test('is assumed afresh to renew the session, though its credentials still hold', async () => {
    const aws = await startAws();
    const sessions = sessionsOf();
    await call(sessions, role('a'));
    await sessions.of({ region, roleArn: role('a') }).renew();
    expect(asked(aws).map(([operation]) => operation)).toEqual(['AssumeRole', 'ListClusters', 'AssumeRole']);
  });

  test('that can’t be assumed is trouble of the role that it was, not of the call', async () => {
    const standIn = await startStandIn((_call, response) => {
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(
        '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
      );
    });
    onTestFinished(() => standIn.stop());
    vi.stubEnv('AWS_ENDPOINT_URL_STS', standIn.url);
    const refused = await call(sessionsOf({ baseRoleArn: role('hub') }), role('a')).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(CredentialsTrouble);
    expect(refused).toMatchObject({ roleArn: role('hub'), cause: { name: 'AccessDenied' } });
  });
});
