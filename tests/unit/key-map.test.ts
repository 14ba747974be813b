import { expect, test } from 'vitest'
import type { Cell } from '../../src/db/dialect.ts'
import { KeyMap, looseKey } from '../../src/users/archive/key-map.ts'

function mapOf(...keys: (readonly Cell[])[]): KeyMap<number> {
  const map = new KeyMap<number>()
  for (const [i, key] of keys.entries()) map.set(key, i)
  return map
}

test.each<[readonly Cell[], readonly Cell[]]>([
  [['Bob'], ['bob']],
  [['bob'], ['BOB']],
  [
    ['ÄNNA', 1],
    ['änna', 1],
  ],
  [['ab   '], ['AB']],
  [
    ['ab', 'x '],
    ['ab', 'X'],
  ],
  [[1], ['1']],
  [
    ['Ab', '-12'],
    ['Ab', -12],
  ],
])('%j is found by %j', (key, asked) => {
  expect(mapOf(key).get(asked)).toBe(0)
  expect(looseKey(key)).toBe(looseKey(asked))
})

test.each<[readonly Cell[], readonly Cell[]]>([
  [['bob'], ['rob']],
  [
    ['a', 'b'],
    ['b', 'a'],
  ],
  [['a b'], ['ab']],
  [[null], ['null']],
])('%j is not found by %j', (key, asked) => {
  expect(mapOf(key).get(asked)).toBeUndefined()
  expect(looseKey(key)).not.toBe(looseKey(asked))
})

test('of two that differ in case, the one with exactly this key is found', () => {
  const map = mapOf(['Bob'], ['bob'], ['BOB'])
  expect([['Bob'], ['bob'], ['BOB']].map((key) => map.get(key))).toEqual([0, 1, 2])
})
