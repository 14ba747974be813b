import * as z from 'zod'
import { SITE_DATABASE, TABLE_PLACE } from '../../site/site-database-schema.ts'
import { ARCHIVE_FORMAT, type ArchiveHeader } from './header.ts'

const names = z.array(z.string())

/** Whatever is read of a header. */
const SCHEMA = z.object({
  format: z.literal(ARCHIVE_FORMAT),
  run: z.string().optional(),
  database: SITE_DATABASE,
  started: z.string(),
  users: z.string(),
  user_key: z.string(),
  user_columns: z.object({ username: z.string().optional(), email: z.string().optional() }),
  email_addresses: z.string(),
  email_address_key: z.string(),
  tables: z.array(
    z.object({ name: z.string(), place: TABLE_PLACE.optional(), columns: names, types: names }),
  ),
  edges: z.array(
    z.object({
      rule: z.enum(['delete', 'set-null']),
      table: z.int(),
      columns: names,
      references: z.int(),
      referenced: names,
    }),
  ),
})

/** True when nothing is missing of a header, and nothing has another form. */
export function isArchiveHeader(content: unknown): content is ArchiveHeader {
  return SCHEMA.safeParse(content).success
}
