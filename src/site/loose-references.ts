import {
  type Catalog,
  type Column,
  canBeNull,
  columnOf,
  type ForeignKey,
  isIndexed,
  type Table,
} from '../db/catalog.ts'
import { invalid } from '../errors.ts'
import { columnNamed, type TableColumn } from './column-names.ts'
import type { Shape } from './discover.ts'
import { isLedgerTable } from './ledger.ts'

/**
 * References to a user that the database knows nothing of: Django's `db_constraint=False`, tables that another program
 * has made. Whoever they refer to is kept only when the configuration file names them.
 */

const NAMES = 'references in the configuration file name columns as the database does: shop_invoice.user_id'

/** How columns are called that refer to a user; so may one be that is called after the user model. */
const LIKELY = new Set(['user_id', 'owner_id', 'author_id', 'creator_id', 'created_by_id', 'customer_id'])

/** Wagtail's log of the pages of a site: it is to outlast the people in it. */
const LOGS = new Set(['wagtailcore_modellogentry.user_id', 'wagtailcore_pagelogentry.user_id'])

/**
 * Returns the references as foreign keys. Throws a UserError (invalid) for a column that there is not, or whose type
 * is another one than that of the users' keys.
 */
export function declaredReferences(
  catalog: Catalog,
  users: Table,
  userKey: Column,
  names: readonly string[] = [],
): ForeignKey[] {
  const key = referencedKey(users, userKey)
  return names.flatMap((text) => {
    const { table, column } = columnNamed(catalog, text, NAMES)
    if (hasForeignKey(catalog, { table, column })) return []
    const found = columnOf(table, column)
    if (!found || familyOf(found) !== familyOf(key)) {
      throw invalid(
        `${text} is of type ${found?.type}, and the key of ${users.label} of type ${key.type}`,
        'it cannot refer to a user: leave it out of references in the configuration file',
      )
    }
    const columns = [column]
    return {
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

/** Returns the columns that look as if they referred to a user, and do not as far as the database knows. */
export function looseReferences({ catalog, users, userKey }: Shape): TableColumn[] {
  const family = familyOf(referencedKey(users, userKey))
  const model = users.name.slice(users.name.lastIndexOf('_') + 1)
  return [...catalog.tables.values()]
    .filter(({ name }) => !isLedgerTable(name))
    .flatMap((table) =>
      table.columns
        .filter((column) => LIKELY.has(column.name) || column.name === `${model}_id`)
        .filter((column) => familyOf(column) === family)
        .map(({ name }) => ({ table, column: name })),
    )
    .filter((each) => !hasForeignKey(catalog, each) && !LOGS.has(`${each.table.name}.${each.column}`))
}

/** What Django refers to, also where allauth refers to something else. */
function referencedKey(users: Table, userKey: Column): Column {
  const [only, ...more] = users.primaryKey
  return (only !== undefined && more.length === 0 && columnOf(users, only)) || userKey
}

function hasForeignKey({ foreignKeys }: Catalog, { table, column }: TableColumn): boolean {
  return foreignKeys.some((key) => key.table === table && key.columns.includes(column))
}

/** Only what is of one kind can be compared everywhere. */
function familyOf({ type }: Column): string {
  if (/int|serial/.test(type)) return 'integer'
  return /char|text/.test(type) ? 'text' : type
}
