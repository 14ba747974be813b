import * as z from 'zod'

/** A `TablePlace` as a file has it. */
export const TABLE_PLACE = z.tuple([z.string(), z.string()])

/** A `SiteDatabase` as a file has it. */
export const SITE_DATABASE = z.object({
  kind: z.enum(['sqlite', 'postgres']),
  identity: z.string(),
  schema: z.string().optional(),
})
