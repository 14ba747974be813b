import { type SQL, sql } from 'drizzle-orm'
import type { Table } from '../db/catalog.ts'
import { refersTo } from '../db/foreign-keys.ts'
import { columnList, ownName, RING, tableName } from '../db/identifiers.ts'
import { deletingEdges, type Edge, type Spread } from './dependents.ts'
import { ABOVE, HERE, type Relations } from './relations.ts'

const IN_TABLE = ownName('in_table')

/**
 * Returns the recursive expression that tables between which deletion goes round share. Each of its rows stands for a row
 * of one table, named by number in a column of its own, and has NULL in the columns of the others.
 */
export function ringDefinition(relations: Relations, group: Spread): SQL {
  const edges = group.tables.flatMap((table) => deletingEdges(relations.dependents, table))
  const isInside = (edge: Edge) => group.tables.includes(edge.references)
  const seeds = edges
    .filter((edge) => !isInside(edge))
    .map(
      (edge) => sql`select ${ringRow(relations, group, edge.table, ABOVE)} ${relations.reachedThrough(edge)}`,
    )
  return relations.dialect.recursive(
    relations.ringNameOf(group),
    [
      ...relations.ownerColumns,
      { name: IN_TABLE, type: 'integer' },
      ...group.tables.flatMap((table) =>
        relations.columnsOf(table).map((column) => ({
          name: sql`${sql.identifier(ringColumn(relations, table, column))}`,
          type: relations.columnNamed(table, column).type,
        })),
      ),
    ],
    sql.join(seeds, sql` union `),
    edges.filter(isInside).map((edge) => ({
      columns: ringRow(relations, group, edge.table, RING),
      table: sql`${tableName(edge.table)} ${HERE}`,
      on: sql`${RING}.${IN_TABLE} = ${number(relations, edge.references)} and ${refersTo(
        edge,
        HERE,
        RING,
        edge.referencedColumns.map((column) => ringColumn(relations, edge.references, column)),
      )}`,
    })),
  )
}

/** Returns the rows of one table of the ring. */
export function rowsOfRing(relations: Relations, group: Spread, table: Table): SQL {
  return sql`select ${relations.ownerFrom()}${columnList(ringColumns(relations, table))}
    from ${relations.ringNameOf(group)} where ${IN_TABLE} = ${number(relations, table)}`
}

function ringRow(relations: Relations, group: Spread, table: Table, owner: SQL): SQL {
  const cells = group.tables.flatMap((each) =>
    relations
      .columnsOf(each)
      .map((column) =>
        each === table
          ? sql`${HERE}.${sql.identifier(column)}`
          : relations.dialect.nullOf(relations.columnNamed(each, column)),
      ),
  )
  return sql`${relations.ownerFrom(owner)}${number(relations, table)}, ${sql.join(cells, sql`, `)}`
}

function ringColumns(relations: Relations, table: Table): string[] {
  return relations.columnsOf(table).map((column) => ringColumn(relations, table, column))
}

function ringColumn(relations: Relations, table: Table, column: string): string {
  return `${relations.numberOf(table)}_${column}`
}

function number(relations: Relations, table: Table): SQL {
  return sql.raw(String(relations.numberOf(table)))
}
