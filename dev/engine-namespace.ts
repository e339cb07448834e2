import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/**
 * The network namespace of a private Docker Engine: its bridges, routes and rules are in there, and a pair of
 * interfaces joins it to this machine, which gets one link and one route for it and no rule of a firewall.
 */
export interface EngineNamespace {
  /** What names it for `nsenter --net=`; lies in the engine's folder and is a mount. */
  readonly file: string;
  /** This machine's end of the pair. */
  readonly link: string;
  /** The engine's end: what is published there answers from this machine. */
  readonly address: string;
  /** The first two numbers of all addresses inside. */
  readonly network: string;
}

// Each private engine owns one of 16 slots: the link lldN and the addresses 10.(224+N).0.0/16. The kernel sees to it
// that a link exists once, so who has made the link has the addresses.
const slotCount = 16;
const firstSlotNetwork = 224;

const innerLink = 'eth0';

/** Needs root. What it has made goes with `unlinkNamespace` and the mount of the file. */
export async function createEngineNamespace(ip: string, folder: string): Promise<EngineNamespace> {
  const file = namespaceFile(folder);
  await writeFile(file, '');
  await runCommand('unshare', [`--net=${file}`, ip, 'link', 'set', 'lo', 'up']);
  const { link, network } = await claimSlot(ip, file);
  const [outer, inner] = [`${network}.255.1`, `${network}.255.2`];
  await runCommand(...insideNamespace(file, ip, ['-batch', '-']), {
    input: [
      `address add ${inner}/30 dev ${innerLink}`,
      `link set ${innerLink} up`,
      `route add default via ${outer}\n`,
    ].join('\n'),
  });
  await runCommand(ip, ['-batch', '-'], {
    input: [
      `address add ${outer}/30 dev ${link}`,
      `link set ${link} up`,
      `route add ${network}.0.0/16 via ${inner}\n`,
    ].join('\n'),
  });
  return { file, link, address: inner, network };
}

export function namespaceFile(folder: string): string {
  return join(folder, 'netns');
}

/** The command that runs `command` inside, as a process of the same id. */
export function insideNamespace(
  file: string,
  command: string,
  args: readonly string[],
): [command: string, args: string[]] {
  return ['nsenter', [`--net=${file}`, '--', command, ...args]];
}

/** Removes the pair of interfaces, and nobody else's: by the end that is inside. Does nothing where it is gone. */
export async function unlinkNamespace(ip: string, file: string): Promise<void> {
  const [command, args] = insideNamespace(file, ip, ['link', 'delete', innerLink]);
  await runCommand(command, args).catch((error: unknown) => {
    if (!String(error).includes('Cannot find device')) throw error;
  });
}

async function claimSlot(ip: string, file: string): Promise<{ link: string; network: string }> {
  const first = randomInt(slotCount);
  for (let step = 0; step < slotCount; step += 1) {
    const slot = (first + step) % slotCount;
    const link = `lld${slot}`;
    const network = `10.${firstSlotNetwork + slot}`;
    const routes = await runCommand(ip, ['-4', 'route', 'show', 'to', 'root', `${network}.0.0/16`]);
    if (routes.trim() !== '') continue;
    try {
      const peer = ['type', 'veth', 'peer', 'name', innerLink, 'netns', file];
      await runCommand(ip, ['link', 'add', link, ...peer]);
    } catch (error) {
      if (error instanceof Error && error.message.includes('File exists')) continue;
      throw error;
    }
    return { link, network };
  }
  throw new Error(
    `all ${slotCount} links lld0 … lld${slotCount - 1} or their addresses 10.${firstSlotNetwork}.0.0/12 are in use: ` +
      'stop other runs, or remove what a crash left by `ip link delete lldN`',
  );
}
