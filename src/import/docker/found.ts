import type { Dict } from '../../convert/read/scalars.ts';

/** What an engine tells of containers that run, in its own words: https://docs.docker.com/reference/api/engine/ */

export interface Found {
  /** By the names that the containers have as services: those of their compose project, or their own. */
  readonly containers: ReadonlyMap<string, FoundContainer>;
  /** Each network of theirs that has a name, by it. */
  readonly networks: ReadonlyMap<string, Dict>;
  /** Each volume of theirs that has a name, by it. */
  readonly volumes: ReadonlyMap<string, Dict>;
}

export interface FoundContainer {
  readonly id: string;
  /** As the engine calls it. */
  readonly name: string;
  /** How many there are of it, and of none of its neighbours. */
  readonly count: number;
  /** As the engine shows it. */
  readonly shown: Dict;
  /** The image that it was made of; undefined where that is gone. */
  readonly image: Dict | undefined;
  /** What the name of that image means by now, as its id; undefined where it means nothing. */
  readonly meant: string | undefined;
  /** The name of the container whose network it shares. */
  readonly joined: string | undefined;
}

/** A container, the name that it has as a service, and what else was found. */
export interface At extends FoundContainer {
  readonly service: string;
  readonly found: Found;
}
