import { expect, test } from 'vitest';
import { secretCalls } from '../../../../../src/compute/providers/ecs/engine/secrets/secret-calls.ts';
import { never } from '../client-fixture.ts';
import { refusal, scriptedConnection } from '../scripted-connection.ts';
import type { ScriptedConnection } from '../scripted-connection.ts';

const scope = { region: 'us-west-2', roleArn: 'arn:aws:iam::123456789012:role/landlord' };
const vault = (name: string, region = 'us-west-2') =>
  `arn:aws:secretsmanager:${region}:123456789012:secret:${name}`;
const store = (path: string, region = 'us-west-2') => `arn:aws:ssm:${region}:123456789012:parameter/${path}`;

const ask = async (connection: ScriptedConnection, ...references: string[]) =>
  Object.fromEntries(await secretCalls(connection).secretVersions(scope, references, 'sweep', never));

test('each secret of Secrets Manager is described once, in its region, and tells the version of a label', async () => {
  const connection = scriptedConnection([
    { VersionIdsToStages: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'blue'] } },
  ]);
  const [user, old, gone] = [
    `${vault('db-1', 'eu-west-1')}:user::`,
    `${vault('db-1', 'eu-west-1')}:user:AWSPREVIOUS:`,
    `${vault('db-1', 'eu-west-1')}:user:green:`,
  ];
  expect(await ask(connection, user, old, gone)).toEqual({ [user]: 'v2', [old]: 'v1' });
  expect(connection.asked).toEqual([
    {
      scope: { ...scope, region: 'eu-west-1' },
      action: 'secretsmanager:DescribeSecret',
      family: 'secretReads',
      priority: 'sweep',
      isRepeatable: true,
      input: { SecretId: vault('db-1', 'eu-west-1') },
    },
  ]);
});

test('parameters of a region are described together, over all pages, whatever they are called', async () => {
  const connection = scriptedConnection([
    { Parameters: [{ Name: '/team-a/db', Version: 4 }], NextToken: 'more' },
    { Parameters: [{ Name: 'plain', Version: 1 }] },
  ]);
  const references = [store('team-a/db'), store('plain'), store('none/such')];
  expect(await ask(connection, ...references)).toEqual({ [store('team-a/db')]: '4', [store('plain')]: '1' });
  const filter = { Key: 'Name', Option: 'Equals', Values: ['/team-a/db', 'plain', '/plain', '/none/such'] };
  const input = { ParameterFilters: [filter], MaxResults: 50 };
  expect(connection.asked.map(({ action, input: given }) => [action, given])).toEqual([
    ['ssm:DescribeParameters', input],
    ['ssm:DescribeParameters', { ...input, NextToken: 'more' }],
  ]);
});

test('no filter has more names than AWS takes, and none is of two regions', async () => {
  const connection = scriptedConnection([{}, {}, {}]);
  const many = Array.from({ length: 60 }, (_, index) => store(`a/${index}`));
  await ask(connection, ...many, store('a/0', 'eu-west-1'));
  const sizes = connection.asked.map(({ scope: { region }, input }) => [
    region,
    (input as { ParameterFilters: { Values: string[] }[] }).ParameterFilters[0]?.Values.length,
  ]);
  expect(sizes).toEqual([
    ['us-west-2', 50],
    ['us-west-2', 10],
    ['eu-west-1', 1],
  ]);
});

test('what names its version, and a secret that is not there, have none', async () => {
  const connection = scriptedConnection([refusal('ResourceNotFoundException', 'no such secret')]);
  expect(await ask(connection, vault('gone-1'), `${vault('db-1')}:::v7`)).toEqual({});
  expect(connection.asked).toHaveLength(1);
});

test('what is refused otherwise is told with the action', async () => {
  const connection = scriptedConnection([refusal('InvalidRequestException', 'it is odd')]);
  await expect(ask(connection, vault('db-1'))).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('it is odd'),
  });
});
