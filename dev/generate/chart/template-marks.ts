import { stringify } from 'yaml';

/** What stands in a line of its own: an action, or one that knows how far it is indented. */
type Line = string | ((indent: number) => string);

/**
 * A template is an object of plain values with marks in it, each of which is printed as an action of Helm: as a value, as a
 * key of a map, or as an item of a list. Marks that begin something and end it stand in the same map or list.
 */
export class TemplateMarks {
  readonly #lines: Line[] = [];
  readonly #values: string[] = [];

  /** `{{ expression }}` where a scalar stands. */
  value(expression: string): string {
    return `HelmValue${this.#values.push(expression) - 1}End`;
  }

  /** A line of its own, as an item of a list: `- …` is not printed. */
  item(line: Line): string {
    return `HelmLine${this.#lines.push(line) - 1}End`;
  }

  /** The same in a map: `{ ...marks.key('if .Values.a'), a: 1, ...marks.key('end') }`. */
  key(line: Line): Readonly<Record<string, null>> {
    return { [this.item(line)]: null };
  }

  /** Whatever `expression` is, as YAML below the map or in the list that the mark stands in. */
  yaml(expression: string): Line {
    return (indent) => `toYaml ${expression} | nindent ${indent}`;
  }

  print(template: unknown): string {
    const text = stringify(template, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 });
    // What the manifests themselves say is nobody's action.
    const lines = text
      .replaceAll('{{', '{{ "{{" }}')
      .split('\n')
      .map((line) => this.#printed(line));
    return lines.join('\n');
  }

  #printed(text: string): string {
    const [, indent = '', index] = /^( *)(?:- )?HelmLine(\d+)End(?:: null)?$/.exec(text) ?? [];
    const line = index === undefined ? undefined : this.#lines[Number(index)];
    if (line !== undefined) {
      return `${indent}{{- ${typeof line === 'string' ? line : line(indent.length)} }}`;
    }
    return text.replaceAll(/HelmValue(\d+)End/g, (_, found) => `{{ ${this.#values[Number(found)]} }}`);
  }
}

/** A name of deploy/ as the release has it: `landlord-lease`. */
export function nameIn(marks: TemplateMarks, name: string): string {
  return name.replace(/^landlord\b(?!\.)/, () => marks.value('include "landlord.fullname" $'));
}
