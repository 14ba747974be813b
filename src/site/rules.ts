import { type Catalog, canBeNull, type ForeignKey, type Table } from '../db/catalog.ts'
import { invalid } from '../errors.ts'
import { columnNamed } from './column-names.ts'
import type { Shape } from './discover.ts'
import { isParentLink } from './inheritance.ts'
import { type Rule, registeredRule } from './register.ts'

const NAMES = 'rules name tables as the database does: blog_post, or blog_post.author_id'

/** Rules for dependents as the administrator writes them. */
export interface RuleSettings {
  /** `TABLE`, `TABLE.COLUMN` or `*`: delete these rows with the account. */
  readonly cascade?: readonly string[] | undefined
  /** `TABLE.COLUMN`: keep these rows and set the column to NULL. */
  readonly setNull?: readonly string[] | undefined
  /** `TABLE` or `TABLE.COLUMN`: keep whoever these rows point at. */
  readonly keep?: readonly string[] | undefined
}

/** A setting with its names looked up; no column: any edge of the table. */
interface NamedRule {
  readonly rule: Rule
  readonly table: Table
  readonly column: string | undefined
}

export interface RuleBook {
  /** In order of precedence: a column before a table, the command line before the configuration file. */
  readonly named: readonly NamedRule[]
  /** `--cascade '*'`: whatever nothing else decides is deleted. */
  readonly cascadeAll: boolean
}

/**
 * Looks up the tables and columns that the settings name.
 * Throws a UserError (invalid) for one that does not exist, that cannot be set to NULL, or that has two rules in one place.
 */
export function readRules(catalog: Catalog, settings: readonly RuleSettings[]): RuleBook {
  const named = settings.flatMap((given) =>
    withoutContradiction([
      ...(given.keep ?? []).map((text) => namedRule(catalog, 'keep', text)),
      ...(given.setNull ?? []).map((text) => setNullRule(catalog, text)),
      ...(given.cascade ?? [])
        .filter((text) => text !== '*')
        .map((text) => namedRule(catalog, 'delete', text)),
    ]),
  )
  return {
    named: [...named.filter((rule) => rule.column !== undefined), ...named.filter((rule) => !rule.column)],
    cascadeAll: settings.some((given) => given.cascade?.includes('*')),
  }
}

/**
 * Returns the rule of a foreign key: the named rules, the database's own ON DELETE action, the register of account
 * plumbing, `*`, and else `keep`. The part of an object that another table holds goes with its parent. A row of a table
 * of people is another person: it is never deleted by a rule.
 */
export function ruleFor(key: ForeignKey, book: RuleBook, people: ReadonlySet<Table>, shape: Shape): Rule {
  const named = book.named.find(
    ({ rule, table, column }) =>
      table === key.table &&
      (column === undefined || key.columns.includes(column)) &&
      (rule !== 'set-null' || key.nullable),
  )
  const rule = named?.rule ?? actionRule(key) ?? registeredRule(key, shape) ?? defaultRule(key, book)
  const isSamePerson = isParentLink(key) && people.has(key.references)
  if (rule !== 'delete' || isSamePerson || !people.has(key.table)) return rule
  // The name of a table of people may also mean the part of an object that it holds.
  if (named && (named.column !== undefined || key.references === key.table)) {
    const column = `${named.table.label}.${named.column ?? key.columns[0]}`
    throw invalid(
      `a rule cannot delete other users: ${named.column === undefined ? named.table.label : column}`,
      `to clear the reference instead: --set-null ${column}`,
    )
  }
  return 'keep'
}

function defaultRule(key: ForeignKey, { cascadeAll }: RuleBook): Rule {
  return cascadeAll || isParentLink(key) ? 'delete' : 'keep'
}

function actionRule(key: ForeignKey): Rule | undefined {
  if (key.onDelete === 'cascade') return 'delete'
  if (key.onDelete === 'set null' && key.nullable) return 'set-null'
  return key.onDelete === 'set default' ? 'keep' : undefined
}

function withoutContradiction(rules: readonly NamedRule[]): readonly NamedRule[] {
  for (const { rule, table, column } of rules) {
    const other = rules.find((each) => each.table === table && each.column === column && each.rule !== rule)
    const name = column === undefined ? table.label : `${table.label}.${column}`
    if (other) throw invalid(`${name} has two rules: ${rule} and ${other.rule}`, 'leave one of them away')
  }
  return rules
}

function setNullRule(catalog: Catalog, text: string): NamedRule {
  const rule = namedRule(catalog, 'set-null', text)
  if (rule.column === undefined) {
    throw invalid(`set-null needs a column: ${text}`, `for example: ${text}.author_id`)
  }
  const keys = catalog.foreignKeys.filter(
    (key) => key.table === rule.table && key.columns.includes(rule.column ?? ''),
  )
  if (!keys.some((key) => key.nullable)) {
    const solid = rule.table.columns.filter((column) => !canBeNull(column)).map(({ name }) => name)
    const beside = keys.flatMap((key) => key.clears).find((name) => solid.includes(name))
    const barrier = solid.includes(rule.column) ? 'the column' : `the column ${beside} beside it`
    throw invalid(
      `${text} cannot be set to NULL: ${barrier} does not allow it`,
      'delete the rows instead with --cascade, or leave the rule away to keep their users',
    )
  }
  return rule
}

function namedRule(catalog: Catalog, rule: Rule, text: string): NamedRule {
  const whole = catalog.tables.get(text)
  if (whole) return { rule, table: referring(catalog, whole, undefined, text), column: undefined }
  const { table, column } = columnNamed(catalog, text, { hint: NAMES })
  return { rule, table: referring(catalog, table, column, text), column }
}

function referring(catalog: Catalog, table: Table, column: string | undefined, text: string): Table {
  const refers = catalog.foreignKeys.some(
    (key) => key.table === table && (column === undefined || key.columns.includes(column)),
  )
  if (refers) return table
  throw invalid(
    `${text} refers to no other table: there is nothing to rule`,
    'rules are for foreign keys; what references in the configuration file names only keeps',
  )
}
