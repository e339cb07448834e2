import type { Sieve } from './json-sieve.ts';

/**
 * What is kept of what the engine tells in lists and in events. Those of containers repeat each label of an image, and the
 * list each volume and port; whoever makes the image chooses how many.
 */

/** Of one list in it, such as that of its ports: far more than a container of ours has. */
const maxPartBytes = 262_144;

const word: Sieve = {};
const words: Sieve = { item: word, maxBytes: maxPartBytes };

/**
 * By exact keys, so that no other labels can take their place.
 * `filter`: what the containers are asked for by, whose first label tells the prefix of the marks. `marks`: undefined
 * keeps all labels that fit.
 */
export function labelRule(
  filter: readonly string[],
  marks: ReadonlySet<string> | undefined,
): (key: string) => boolean {
  if (marks === undefined) return () => true;
  const prefix = filter[0] === undefined ? undefined : splitMark(filter[0].split('=')[0] ?? '').prefix;
  return (key) => {
    const mark = splitMark(key);
    return marks.has(mark.name) && (prefix === undefined || mark.prefix === prefix);
  };
}

function splitMark(key: string): { readonly prefix: string; readonly name: string } {
  const dot = key.lastIndexOf('.');
  return { prefix: key.slice(0, dot + 1), name: key.slice(dot + 1) };
}

/** An entry of a list of containers. */
export function listedSieve(isLabel: (key: string) => boolean): Sieve {
  return fields({
    Id: word,
    Names: words,
    Image: word,
    ImageID: word,
    State: word,
    Status: word,
    Labels: { member: (key) => (isLabel(key) ? word : undefined), maxBytes: maxPartBytes },
    Ports: { item: fields({ IP: word, PublicPort: word, PrivatePort: word, Type: word }), ...published },
    Mounts: { item: fields({ Type: word, Name: word, Destination: word }), ...ofVolumes },
    HostConfig: fields({ NetworkMode: word }),
    NetworkSettings: fields({
      Networks: { member: () => fields({ NetworkID: word }), maxBytes: maxPartBytes },
    }),
  });
}

const published: Sieve = {
  isKept: (port) => ((port as { readonly PublicPort?: number }).PublicPort ?? 0) > 0,
  maxBytes: maxPartBytes,
};

const ofVolumes: Sieve = {
  isKept: (mount) => (mount as { readonly Type?: string }).Type === 'volume',
  maxBytes: maxPartBytes,
};

/** All labels that fit: those of a network or a volume are whose made it. */
const Labels: Sieve = { member: () => word, maxBytes: maxPartBytes };

/** An entry of a list of networks. */
export const networkSieve: Sieve = fields({
  Id: word,
  Name: word,
  Driver: word,
  Labels,
  IPAM: fields({ Config: { item: fields({ Subnet: word }), maxBytes: maxPartBytes } }),
});

/** The answer with the list of volumes. */
export const volumesSieve: Sieve = fields({
  Volumes: { item: fields({ Name: word, Driver: word, Labels }) },
});

/** An entry of a list of images. */
export const imageSieve: Sieve = fields({
  Id: word,
  ParentId: word,
  RepoTags: words,
  RepoDigests: words,
  Size: word,
});

/** What the engine itself says of an event, among the labels of its container. */
const toldOfContainers: ReadonlySet<string> = new Set(['name', 'oldName', 'exitCode', 'signal']);
const toldOfImages: ReadonlySet<string> = new Set(['name', 'image']);

export function imageEventSieve(isLabel: (key: string) => boolean): Sieve {
  return eventSieve(isLabel, toldOfImages);
}

export function eventSieve(isLabel: (key: string) => boolean, told = toldOfContainers): Sieve {
  const Attributes: Sieve = {
    member: (key) => (told.has(key) || isLabel(key) ? word : undefined),
    maxBytes: maxPartBytes,
  };
  return fields({
    Type: word,
    Action: word,
    time: word,
    timeNano: word,
    Actor: fields({ ID: word, Attributes }),
  });
}

function fields(sieves: Readonly<Record<string, Sieve>>): Sieve {
  const known = new Map(Object.entries(sieves));
  return { member: (key) => known.get(key) };
}
