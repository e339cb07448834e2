import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { chartComponents } from '../../dev/generate/chart/chart-template.ts';
import { mergedIf } from '../../dev/generate/chart/merge-if.ts';
import { nameIn, TemplateMarks } from '../../dev/generate/chart/template-marks.ts';

/** What becomes of manifests on their way into the chart. That Helm makes manifests of it again is seen in test/deploy. */

test('what components of kustomize add, change or take away is in the chart', () => {
  const folder = join(import.meta.dirname, '../../deploy/components');
  const components = readdirSync(folder).map((name) => {
    const text = readFileSync(join(folder, name, 'kustomization.yaml'), 'utf8');
    const { resources, patches = [] } = parse(text) as { resources?: unknown; patches?: { patch: string }[] };
    const isDelete = patches.map(({ patch }) => patch.startsWith('$patch: delete'));
    return {
      name,
      adds: resources !== undefined,
      changes: isDelete.includes(false),
      takes: isDelete.includes(true),
    };
  });
  const names = (does: 'adds' | 'changes' | 'takes'): string[] =>
    components.filter((component) => component[does]).map(({ name }) => name);
  expect(chartComponents.add.toSorted()).toEqual(names('adds'));
  expect([...chartComponents.change].toSorted()).toEqual(names('changes'));
  expect(chartComponents.takeAway.toSorted()).toEqual(names('takes'));
  expect(components.filter(({ adds, changes, takes }) => !adds && !changes && !takes)).toEqual([]);
});

describe('a template', () => {
  test('has actions where its marks are: values, lines of maps and of lists, and YAML as deep as it stands', () => {
    const marks = new TemplateMarks();
    const template = {
      image: `${marks.value('.repo')}:${marks.value('.tag')}`,
      ...marks.key('if .more'),
      list: [marks.item('with .some'), marks.item(marks.yaml('.')), marks.item('end'), { name: 'x' }],
      ...marks.key('end'),
      map: { ...marks.key(marks.yaml('.map')) },
    };
    expect(marks.print(template)).toBe(`image: {{ .repo }}:{{ .tag }}
{{- if .more }}
list:
  {{- with .some }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - name: x
{{- end }}
map:
  {{- toYaml .map | nindent 2 }}
`);
  });

  test('shows braces of the manifests as they are', () => {
    expect(new TemplateMarks().print({ a: 'x {{ .Values }}' })).toBe('a: x {{ "{{" }} .Values }}\n');
  });

  test.each([
    ['landlord', '{{ include "landlord.fullname" $ }}'],
    ['landlord-lease', '{{ include "landlord.fullname" $ }}-lease'],
    ['tenants.landlord.dev', 'tenants.landlord.dev'],
    ['landlord.dev', 'landlord.dev'],
  ])('has the name of the release: %s', (name, printed) => {
    const marks = new TemplateMarks();
    expect(marks.print({ name: nameIn(marks, name) })).toBe(`name: ${printed}\n`);
  });
});

describe('a patch that is there under a condition', () => {
  const merged = (base: object, patch: object): string => {
    const marks = new TemplateMarks();
    return marks.print(mergedIf({ ...base }, { patch: { ...patch }, condition: '.on' }, marks));
  };

  test('adds keys, and items before those of the same list', () => {
    expect(merged({ a: 1, list: [{ name: 'x' }] }, { b: 2, list: [{ name: 'z' }] })).toBe(`a: 1
list:
  {{- if .on }}
  - name: z
  {{- end }}
  - name: x
{{- if .on }}
b: 2
{{- end }}
`);
  });

  test('goes into an item of the same name, and a map of the same key', () => {
    expect(merged({ m: { a: 1 }, list: [{ name: 'x' }] }, { m: { b: 2 }, list: [{ name: 'x', c: 3 }] }))
      .toBe(`m:
  a: 1
  {{- if .on }}
  b: 2
  {{- end }}
list:
  - name: x
    {{- if .on }}
    c: 3
    {{- end }}
`);
  });

  test('puts another value in the place of one, and leaves the same', () => {
    expect(merged({ a: 1, b: 'x' }, { a: 2, b: 'x' })).toBe('a: {{ ternary 2 1 (not (not .on)) }}\nb: x\n');
  });

  test('that makes a map of a value is refused', () => {
    expect(() => merged({ a: 1 }, { a: { b: 2 } })).toThrow('a: a patch makes another type of it');
  });
});
