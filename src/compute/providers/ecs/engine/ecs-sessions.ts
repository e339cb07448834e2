import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { scopeKey } from '../address/service-target.ts';
import type { EcsScope } from '../address/service-target.ts';
import { isAws } from '../address/aws-host.ts';
import { capAnswers } from './answer-cap.ts';
import type { Capped } from './answer-cap.ts';
import type { ServiceClock } from './service-clock.ts';
import { CredentialsTrouble } from './ecs-errors.ts';
import type { CallSite } from './ecs-errors.ts';

type CredentialProvider = ReturnType<typeof fromTemporaryCredentials>;

/** What the operator says about a role: never the manifest. */
export interface RoleTerms {
  readonly externalId?: string;
  readonly sessionName?: string;
}

export interface SessionOptions {
  /** URL of the ECS API instead of the region's own. */
  readonly endpoint?: string | undefined;
  /** Role that tenants' roles are assumed from; absent: the operator's own credentials. */
  readonly baseRoleArn?: string | undefined;
  readonly termsOf: (roleArn: string) => RoleTerms;
  /** Lifetime of an assumed role's credentials in seconds. Default: STS', an hour. */
  readonly sessionSeconds?: number | undefined;
  readonly connectMs: number;
  readonly requestMs: number;
  /** Called with each client that is made. */
  readonly follow: ServiceClock['follow'];
}

/** What the clients of all services of AWS are made with. */
export type OtherConfig = ReturnType<typeof otherConfig>;
export interface OtherClient extends Capped {
  destroy(): void;
}

/** The SDK clients of a (role, region), with its credentials. */
export interface EcsSession {
  readonly client: ECSClient;
  /** Made with its first use; what answers for ECS in place of AWS answers for Application Auto Scaling, too. */
  readonly scaling: (this: void) => ApplicationAutoScalingClient;
  /** That of another service of AWS, in the same way. */
  readonly other: <C extends OtherClient>(this: void, Client: new (config: OtherConfig) => C) => C;
  /** Fetches new credentials, whatever their expiry says. */
  renew(): Promise<void>;
  close(): void;
}

export interface EcsSessions {
  of(scope: EcsScope): EcsSession;
  /** Where the scope's calls go, for messages. */
  site(scope: EcsScope, action: string): CallSite;
  close(): void;
}

/** Session names show up in CloudTrail; a constant one keeps what AWS says of it stable. */
const defaultSessionName = 'landlord';

/** Makes each client with its first use. */
export function createSessions(options: SessionOptions): EcsSessions {
  const sessions = new Map<string, EcsSession>();
  const endpoint = options.endpoint === undefined ? undefined : new URL(options.endpoint).origin;
  return {
    of: (scope) => {
      const key = scopeKey(scope);
      const session = sessions.get(key) ?? createSession(scope, options);
      sessions.set(key, session);
      return session;
    },
    site: ({ region, roleArn }, action) => ({
      action: action.includes(':') ? action : `ecs:${action}`,
      region,
      ...(roleArn !== undefined && { roleArn }),
      ...(endpoint !== undefined && !(action.includes(':') && isAws(endpoint)) && { endpoint }),
    }),
    close: () => {
      for (const session of sessions.values()) session.close();
      sessions.clear();
    },
  };
}

function createSession(scope: EcsScope, options: SessionOptions): EcsSession {
  const { roleArn, region } = scope;
  const client = new ECSClient({
    region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(roleArn !== undefined && { credentials: assumed(roleArn, region, options) }),
    requestHandler: handlerOptions(options),
    // Retries are this client's own, below its token queues.
    maxAttempts: 1,
  });
  options.follow(scope, client);
  capAnswers(client);
  const others = otherClients(client, region, options);
  return {
    client,
    scaling: () => others.of(ApplicationAutoScalingClient),
    other: others.of,
    close: () => {
      client.destroy();
      others.close();
    },
    renew: async () => {
      await client.config.credentials({ forceRefresh: true });
    },
  };
}

/** One of each service. */
function otherClients(client: ECSClient, region: string, options: SessionOptions) {
  const clients = new Map<unknown, OtherClient>();
  return {
    of: <C extends OtherClient>(Client: new (config: OtherConfig) => C): C => {
      const known = clients.get(Client);
      if (known !== undefined) return known as C;
      const made = new Client(otherConfig(client, region, options));
      capAnswers(made);
      clients.set(Client, made);
      return made;
    },
    close: () => {
      for (const one of clients.values()) one.destroy();
    },
  };
}

/** By the credentials of the one for ECS. */
function otherConfig({ config: { credentials } }: ECSClient, region: string, options: SessionOptions) {
  const { endpoint } = options;
  return {
    region,
    ...(endpoint !== undefined && !isAws(endpoint) && { endpoint }),
    credentials,
    requestHandler: handlerOptions(options),
    maxAttempts: 1,
  };
}

/** The SDK remembers what comes of it and asks again five minutes before it expires. */
function assumed(roleArn: string, region: string, options: SessionOptions): CredentialProvider {
  const { baseRoleArn, termsOf, sessionSeconds } = options;
  const { externalId, sessionName = defaultSessionName } = termsOf(roleArn);
  const isChained = baseRoleArn !== undefined && baseRoleArn !== roleArn;
  const provider = fromTemporaryCredentials({
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId !== undefined && { ExternalId: externalId }),
      ...(sessionSeconds !== undefined && { DurationSeconds: sessionSeconds }),
    },
    ...(isChained && { masterCredentials: assumed(baseRoleArn, region, options) }),
    clientConfig: { region, requestHandler: handlerOptions(options), maxAttempts: 2 },
  });
  return async (properties) => {
    try {
      return await provider(properties);
    } catch (error) {
      throw error instanceof CredentialsTrouble ? error : new CredentialsTrouble(roleArn, error);
    }
  };
}

function handlerOptions({ connectMs, requestMs }: SessionOptions) {
  return { connectionTimeout: connectMs, requestTimeout: requestMs, throwOnRequestTimeout: true };
}

/** The region that the SDK finds for itself: in AWS_REGION, or in its profile. Undefined: it finds none. */
export async function defaultRegion(): Promise<string | undefined> {
  const client = new ECSClient({});
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}
