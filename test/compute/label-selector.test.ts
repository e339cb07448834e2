import { describe, expect, test } from 'vitest';
import { isLabelSelector, parseLabelSelector } from '../../src/compute/label-selector.ts';

const labels = { team: 'a', tier: 'gold', 'example.com/size': '5', empty: '', in: 'x' };

test.each([
  'team=a',
  'team==a',
  ' team = a ',
  'team!=b',
  'missing!=b',
  'team',
  '!missing',
  'empty=',
  'tier in (silver,gold)',
  'tier in( silver , gold )',
  'tier notin (silver)',
  'missing notin (a)',
  'team=a,tier in (gold,silver),!legacy',
  'example.com/size>4',
  'example.com/size < 6',
  'in in (x)',
  'in',
  'empty in (,a)',
])('%s holds', (text) => {
  expect(parseLabelSelector(text)(labels)).toBe(true);
});

test.each([
  'team=A',
  'team=',
  'team!=a',
  '!team',
  'missing',
  'missing=',
  'missing in (a)',
  'tier in (silver)',
  'tier notin (gold)',
  'team=a,tier=silver',
  'example.com/size>5',
  'team>1',
  'missing<1',
  'toString',
  'constructor notin (a),team=b',
])('%s does not hold', (text) => {
  expect(parseLabelSelector(text)(labels)).toBe(false);
});

describe('is no selector:', () => {
  test.each([
    '',
    ' ',
    ',',
    'team=a,',
    ',team=a',
    'team=a,,tier=gold',
    'team a',
    'team=a b',
    'team===a',
    'team=!a',
    '=a',
    '!',
    '!team=a',
    '!!team',
    'team in ()',
    'team in',
    'team in a',
    'team in (a',
    'team in (a))',
    'team in (a) b',
    'team inside (a)',
    'team notin',
    '-team',
    'team=-a',
    'team=a*',
    'Example.com/team',
    '/team',
    'a/b/c',
    `team=${'a'.repeat(64)}`,
    'size>a',
    'size>',
    'size>1.5',
    'team=a\u0000',
  ])('%j', (text) => {
    expect(isLabelSelector(text)).toBe(false);
  });
});
