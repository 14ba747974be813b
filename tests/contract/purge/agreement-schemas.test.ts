import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RuleSettings } from '../../../src/site/rules.ts'
import { type DatabaseKind, describeEachDatabase } from '../../support/databases.ts'
import { expectRoundTrip } from '../../support/round-trip.ts'
import { createSite, type TestSite, withTables } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const RUNS = 40

/** The last one has logged in, and stays. */
const USERS = 5
const MOST_ROWS = 5

/**
 * A foreign key: to the user table (`target` 0) or to one of the others, also its own. Left out: SET NULL where the
 * column does not allow it, which no database can do; RESTRICT within a table, which SQLite checks at once; rings of
 * keys that cannot be deferred, which Django never makes: no order of INSERTs is sure to fill them.
 */
const reference = fc.record({
  target: fc.nat(4),
  nullable: fc.boolean(),
  onDelete: fc.constantFrom('', ' on delete cascade', ' on delete set null'),
  deferred: fc.boolean(),
  indexed: fc.boolean(),
  rule: fc.constantFrom('none', 'cascade', 'set-null'),
  /** Which row the column of each row refers to. */
  values: fc.array(fc.nat(2 * MOST_ROWS), { minLength: MOST_ROWS, maxLength: MOST_ROWS }),
})

const table = fc.record({
  /** The key is a one-to-one field onto the user. */
  isProfile: fc.boolean(),
  rows: fc.nat(MOST_ROWS),
  references: fc.array(reference, { minLength: 1, maxLength: 3 }),
})

const schema = fc.record({
  tables: fc.array(table, { minLength: 1, maxLength: 4 }),
  cascadeAll: fc.boolean(),
  batchSize: fc.constantFrom(1, 2, 3, 1000),
})
type Schema = typeof schema extends fc.Arbitrary<infer T> ? T : never
type GeneratedTable = Schema['tables'][number]
type Reference = GeneratedTable['references'][number]

const nameOf = (i: number) => `part_${i}`
const columnOf = (i: number) => `ref_${i}_id`
const keyOf = ({ isProfile }: GeneratedTable) => (isProfile ? 'user_id' : 'id')

class Script {
  private readonly tables: readonly GeneratedTable[]
  private readonly users: readonly string[]

  constructor({ tables }: Schema, users: readonly string[]) {
    this.tables = tables
    this.users = users
  }

  /** The rows may refer to each other in a ring: the keys come last, or are not looked at meanwhile. */
  text(kind: DatabaseKind): string {
    const inline = kind === 'sqlite'
    const statements = [
      ...(inline ? ['pragma foreign_keys = off'] : []),
      ...this.tables.map((_, i) => this.create(i, inline)),
      ...this.tables.flatMap((_, i) => this.inserts(i)),
      ...this.tables.flatMap((_, i) => this.indexes(i)),
      ...(inline ? ['pragma foreign_keys = on'] : this.tables.flatMap((_, i) => this.constraints(i))),
    ]
    return `${statements.join(';\n')};`
  }

  private create(i: number, inline: boolean): string {
    const key = this.tables[i]?.isProfile ? 'user_id integer primary key' : 'id integer primary key'
    const columns = this.referencesOf(i).map(
      (each, j) => `${columnOf(j)} integer${each.nullable ? '' : ' not null'}`,
    )
    const keys = inline ? this.keys(i) : []
    return `create table ${nameOf(i)} (${[key, ...columns, ...keys].join(', ')})`
  }

  private constraints(i: number): string[] {
    return this.keys(i).map((key) => `alter table ${nameOf(i)} add ${key}`)
  }

  private keys(i: number): string[] {
    const profile = this.tables[i]?.isProfile ? ['foreign key (user_id) references auth_user (id)'] : []
    return [
      ...profile,
      ...this.referencesOf(i).map((each, j) => {
        const onDelete = each.onDelete.includes('null') && !each.nullable ? '' : each.onDelete
        const mayBeInRing = this.indexOf(each) >= 0
        const deferred = each.deferred || mayBeInRing ? ' deferrable initially deferred' : ''
        return `foreign key (${columnOf(j)}) references ${this.targetOf(each)}${onDelete}${deferred}`
      }),
    ]
  }

  private indexes(i: number): string[] {
    return this.referencesOf(i).flatMap((each, j) =>
      each.indexed ? [`create index ${nameOf(i)}_${j} on ${nameOf(i)} (${columnOf(j)})`] : [],
    )
  }

  private inserts(i: number): string[] {
    const columns = [
      keyOf(this.tables[i] as GeneratedTable),
      ...this.referencesOf(i).map((_, j) => columnOf(j)),
    ]
    return this.keysIn(i).map((key, row) => {
      const values = this.referencesOf(i).map((each) => this.valueOf(each, row))
      return `insert into ${nameOf(i)} (${columns.join(', ')}) values (${[key, ...values].join(', ')})`
    })
  }

  private valueOf(each: Reference, row: number): string {
    const keys = each.target % (this.tables.length + 1) === 0 ? this.users : this.keysIn(this.indexOf(each))
    const value = each.values[row] ?? 0
    return each.nullable && value % 3 === 0 ? 'null' : (keys[value % keys.length] ?? 'null')
  }

  /** A column that may not be NULL and points at a table without rows has nothing to point at. */
  private referencesOf(i: number): readonly Reference[] {
    return (this.tables[i]?.references ?? []).map((each) => {
      const toUsers = each.target % (this.tables.length + 1) === 0
      return toUsers || this.keysIn(this.indexOf(each)).length > 0 ? each : { ...each, nullable: true }
    })
  }

  private keysIn(i: number): string[] {
    const rows = this.tables[i]?.rows ?? 0
    return this.tables[i]?.isProfile
      ? this.users.slice(0, rows)
      : Array.from({ length: rows }, (_, row) => String(row + 1))
  }

  private indexOf({ target }: Reference): number {
    return (target % (this.tables.length + 1)) - 1
  }

  private targetOf(each: Reference): string {
    const i = this.indexOf(each)
    return i < 0 ? 'auth_user (id)' : `${nameOf(i)} (${keyOf(this.tables[i] as GeneratedTable)})`
  }

  rules(cascadeAll: boolean): RuleSettings {
    const named = (rule: Reference['rule']) =>
      this.tables.flatMap((_, i) =>
        this.referencesOf(i).flatMap((each, j) =>
          each.rule === rule && (rule !== 'set-null' || each.nullable) ? [`${nameOf(i)}.${columnOf(j)}`] : [],
        ),
      )
    return { cascade: [...named('cascade'), ...(cascadeAll ? ['*'] : [])], setNull: named('set-null') }
  }
}

describeEachDatabase('any schema', (harness) => {
  test('a plan says what a purge does, and what an archive puts back', async () => {
    await fc.assert(
      fc.asyncProperty(schema, async (generated) => {
        const site = await createSite(harness, 'django5.2-allauth65')
        const users = await population(site)
        const script = new Script(generated, users)
        const text = script.text(harness.kind)
        const rules = script.rules(generated.cascadeAll)
        try {
          await expectRoundTrip(await withTables(site, text), rules, generated.batchSize)
        } catch (error) {
          throw new Error(`${text}\n${JSON.stringify(rules)}, ${generated.batchSize} at a time: ${error}`)
        } finally {
          await site.database.close()
        }
      }),
      { numRuns: RUNS },
    )
    expect.hasAssertions()
  }, 600_000)
})

async function population(site: TestSite): Promise<string[]> {
  const users: string[] = []
  for (let i = 1; i < USERS; i++) users.push(await addUser(site))
  users.push(await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' }))
  return users
}
