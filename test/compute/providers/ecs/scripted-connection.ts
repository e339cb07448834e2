import type { ECSClient } from '@aws-sdk/client-ecs';
import type { EcsCall, EcsConnection } from '../../../../src/compute/providers/ecs/engine/ecs-connection.ts';
import { EcsRefusal } from '../../../../src/compute/providers/ecs/engine/ecs-refusal.ts';
import { awsError } from './aws-error.ts';

type Asked = Omit<EcsCall<unknown>, 'send'> & {
  /** What the command was given. */
  readonly input: unknown;
};

export interface ScriptedConnection extends EcsConnection {
  readonly asked: readonly Asked[];
}

/**
 * Answers each call with the next of `answers`: an Error is thrown, an EcsRefusal and what else ECS may say returned.
 * A function is given the input first.
 */
export function scriptedConnection(answers: readonly unknown[]): ScriptedConnection {
  const left = [...answers];
  const asked: Asked[] = [];
  return {
    asked,
    ask: async <T>({ send, ...call }: EcsCall<T>) => {
      const client = {
        send: async ({ input }: { readonly input: unknown }) => {
          asked.push({ ...call, input });
          if (left.length === 0) throw new Error(`nobody expected ${call.action}`);
          const answer = left.shift();
          return typeof answer === 'function' ? (answer(input) as unknown) : answer;
        },
      } as unknown as ECSClient;
      const answer = await send(
        client,
        { abortSignal: new AbortController().signal },
        { scaling: () => client as never, other: () => client as never },
      );
      if (answer instanceof Error) throw answer;
      return answer;
    },
    pay: async () => undefined,
    refund: () => undefined,
    site,
    close: () => undefined,
  };
}

const site: EcsConnection['site'] = ({ region }, action) => ({ action: `ecs:${action}`, region });

/** As the connection hands over what ECS would not do. */
export function refusal(name: string, message = ''): EcsRefusal {
  return new EcsRefusal(awsError(name, { message }), site({ region: 'us-west-2' }, 'Any'));
}
