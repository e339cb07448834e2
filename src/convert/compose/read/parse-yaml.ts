import { parseDocument } from 'yaml';
import { Unsayable } from '../../finding.ts';
import { dict } from '../../read/scalars.ts';
import type { Dict } from '../../read/scalars.ts';

/** So many nodes may come of aliases: files of hundreds of services have fewer. */
const maxAliasCount = 10_000;

/** One document as maps, lists and texts: `0644` and `1.10` stay what was written. */
export function parseYaml(source: string): Dict {
  const document = parseDocument(source, {
    schema: 'failsafe',
    customTags: ['null'],
    merge: true,
    logLevel: 'silent',
  });
  const [fault] = document.errors;
  if (fault !== undefined) throw new Unsayable(`is no YAML: ${firstLine(fault.message)}`, 'refused');
  try {
    return dict(document.toJS({ maxAliasCount }));
  } catch (error) {
    throw new Unsayable(
      `can't be read: ${firstLine(error instanceof Error ? error.message : String(error))}`,
      'refused',
    );
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/:$/, '') ?? '';
}
