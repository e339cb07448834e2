import type { TenantSpecSchema } from '../../api/tenant.ts';
import { answered, tenantOf } from '../conversion.ts';
import type { Conversion } from '../conversion.ts';
import { note, placed } from '../finding.ts';
import type { Finding, Note } from '../finding.ts';
import { convertService } from './convert-service.ts';
import { projectOf, readProject } from './project.ts';
import type { Project, Surroundings } from './project.ts';
import type { Dict } from '../read/scalars.ts';
import { networkNotes } from './rows/docker.ts';
import { volumeNotes } from './rows/volumes.ts';

/** A compose file as a Tenant: one container for each service. */
export function convertCompose(source: string, around: Surroundings, schema: TenantSpecSchema): Conversion {
  return answered(() => {
    const { project, notes, unfilled } = readProject(source, around);
    const conversion = tenantOf(project.name, [...notes, ...findings(project)], schema);
    return { ...conversion, notes: conversion.notes.map((one) => withValues(one, unfilled)) };
  });
}

/**
 * The same of what stands in no file: `document` as `docker compose config` would print it, each scalar a text. `more`: what
 * has no words in it.
 */
export function convertProject(document: Dict, more: readonly Note[], schema: TenantSpecSchema): Conversion {
  return answered(() => {
    const source = JSON.stringify(document);
    const { project, notes } = projectOf(document, { source, around: nowhere, variables: () => undefined });
    return tenantOf(project.name, [...notes, ...more, ...findings(project)], schema);
  });
}

const nowhere: Surroundings = {
  name: 'app',
  folder: '/',
  home: '/',
  profiles: [],
  envFiles: [],
  read: () => undefined,
};

/** What is wrong with a variable that has no value may be right with one. */
function withValues(one: Note, unfilled: readonly string[]): Note {
  const isOfVariable = unfilled.some((path) => isWithin(path, one.from) || isWithin(one.from, path));
  return one.kind === 'dropped' && isOfVariable
    ? note('needs', one.from, `values of its variables, as without them it is left out: ${one.text}`)
    : one;
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || ['.', '['].some((sign) => path.startsWith(outer + sign));
}

function findings(project: Project): readonly Finding[] {
  return [
    ...[...project.services].flatMap(([service, keys]) => {
      const container = project.containers.get(service) ?? service;
      return convertService({ from: `services.${service}`, service, container, keys, project });
    }),
    ...pullPolicy(project),
    ...volumeNotes(project.volumes),
    ...networkNotes(project.networks),
  ];
}

/** One policy is for all containers of a Tenant. */
function pullPolicy({ services }: Project): readonly Finding[] {
  const wishes = [...services].map(
    ([name, keys]) => [`services.${name}.pull_policy`, keys['pull_policy']] as const,
  );
  const always = wishes.filter(([, wish]) => wish === 'always');
  const [first] = always;
  if (first === undefined) return [];
  const place = placed(['imagePullPolicy'], 'Always', first[0]);
  return always.length === wishes.length
    ? [place]
    : [place, note('changed', first[0], 'it is for all containers of a Tenant')];
}
