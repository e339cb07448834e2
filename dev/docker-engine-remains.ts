/** What a private Docker Engine leaves on the machine when it is killed, and how to make it go. */

export interface EngineRemains {
  readonly folder: string;
  readonly bridge: string;
  readonly cgroup: string;
}

export async function removeEngineRemains(_remains: EngineRemains): Promise<void> {}
