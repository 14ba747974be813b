import { type Column, canBeNull, columnOf, isIndexed } from '../db/catalog.ts'
import type { Dialect } from '../db/dialect.ts'
import { invalid } from '../errors.ts'
import { columnNamed, type TableColumn } from './column-names.ts'
import type { Edge } from './dependents.ts'
import type { Shape } from './discover.ts'
import { isLedgerTable } from './ledger.ts'
import type { Site } from './site.ts'

/**
 * References to a user that the database knows nothing of: Django's `db_constraint=False`, tables that another program
 * has made. Nothing follows them, and they keep a user only when the configuration file names them.
 */

const NAMES = 'references in the configuration file name columns as the database does: shop_invoice.user_id'

/** How columns are called that refer to a user; so may one be that is called after the user model. */
const LIKELY = new Set(['user_id', 'owner_id', 'author_id', 'creator_id', 'created_by_id', 'customer_id'])

/** Wagtail's logs of what was done to pages: they are to outlast the people in them. */
const LOGS = new Set(['wagtailcore_modellogentry.user_id', 'wagtailcore_pagelogentry.user_id'])

/** An edge that no foreign key stands for. */
export interface DeclaredEdge extends Edge {
  readonly rule: 'keep'
  readonly declared: true
}

/**
 * Returns the references of these names (`shop_invoice.user_id`) as edges that keep the user, whatever a rule says of a
 * foreign key there. Throws a UserError (invalid) for a column that there is not, or that cannot be compared with the
 * users' keys.
 */
export function declaredReferences({ db, shape }: Site, names: readonly string[] = []): DeclaredEdge[] {
  const { catalog, users } = shape
  const key = referencedKey(shape)
  return [...new Set(names)].map((text) => {
    const { table, column } = columnNamed(catalog, text, { hint: NAMES, setting: 'references' })
    const found = columnOf(table, column)
    if (!found || !isComparable(db.dialect, found, key)) {
      const types = `of type ${typeOf(found)}, and the key of ${users.label} of type ${typeOf(key)}`
      throw invalid(
        `${text} is ${types}: it cannot refer to a user`,
        'leave it out of references in the configuration file',
      )
    }
    const columns = [column]
    return {
      rule: 'keep',
      declared: true,
      table,
      columns,
      references: users,
      referencedColumns: [key.name],
      collations: [null],
      onDelete: 'no action',
      clears: columns,
      nullable: canBeNull(found),
      indexed: isIndexed(table, columns),
    }
  })
}

/** Returns the columns that look as if they referred to a user, and neither do nor are declared to. */
export function looseReferences({ db, shape }: Site, declared: readonly DeclaredEdge[]): TableColumn[] {
  const key = referencedKey(shape)
  const model = shape.users.name.slice(shape.users.name.lastIndexOf('_') + 1)
  const isDeclared = ({ table, column }: TableColumn) =>
    declared.some((edge) => edge.table === table && edge.columns.includes(column))
  return [...shape.catalog.tables.values()]
    .filter(({ name }) => !isLedgerTable(name))
    .flatMap((table) =>
      table.columns
        .filter((column) => LIKELY.has(column.name) || column.name === `${model}_id`)
        .filter((column) => isComparable(db.dialect, column, key))
        .map(({ name }) => ({ table, column: name })),
    )
    .filter((each) => !isForeignKey(shape, each) && !isDeclared(each))
    .filter(({ table, column }) => !LOGS.has(`${table.name}.${column}`))
}

/** What Django refers to, also where allauth refers to something else. */
function referencedKey({ users, userKey }: Shape): Column {
  const [only, ...more] = users.primaryKey
  return (only !== undefined && more.length === 0 && columnOf(users, only)) || userKey
}

function isForeignKey({ catalog }: Shape, { table, column }: TableColumn): boolean {
  return catalog.foreignKeys.some((key) => key.table === table && key.columns.includes(column))
}

/** Equal values are equal for every database. */
function isComparable({ typeFamily }: Dialect, column: Column, key: Column): boolean {
  const kind = ({ type }: Column) => (typeFamily(type) ?? type).replace('fixed ', '')
  return kind(column) === kind(key) && column.collation === key.collation
}

function typeOf(column: Column | undefined): string {
  return [column?.type || 'none', column?.collation && `collate ${column.collation}`]
    .filter(Boolean)
    .join(' ')
}
