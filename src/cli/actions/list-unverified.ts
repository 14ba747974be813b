import { keepHeapLean } from '../../lean-heap.ts'
import type { Site } from '../../site/site.ts'
import { listPages, tally } from '../../users/list.ts'
import { type ListRequest, PAGES_AT_ONCE } from '../../users/list-pages.ts'
import type { CommandContext } from '../command-context.ts'
import type { ListFormat, ListOptions } from '../commands/list-unverified.ts'
import { clockOf, criteriaFrom, understood } from '../criteria.ts'
import { fieldsFrom, sortFrom } from '../fields.ts'
import { sayNothingMatches } from '../nothing-matches.ts'
import { printTable } from '../print-table.ts'
import { withProgress } from '../progress.ts'
import { csv, ids, json, ndjson, type StreamFormat } from '../render/streams.ts'
import { countListed, tallyText } from '../render/tally.ts'
import type { Talk } from '../talk.ts'
import { warnOfUnmatched } from '../warn-of-unmatched.ts'
import { settingsOf, withSite } from '../with-site.ts'
import { writeAll } from '../write-all.ts'

/** Prints the users that the options select. */
export async function listUnverified(context: CommandContext, options: ListOptions) {
  const settings = await settingsOf(context)
  const { configured } = settings
  const request: ListRequest = {
    criteria: await criteriaFrom(options, configured, context),
    fields: fieldsFrom(options.fields),
    sort: sortFrom(options.sort),
    show: options.kept ? 'kept' : options.deletable ? 'deletable' : 'all',
  }
  const { talk } = context
  const words = understood(request.criteria, clockOf(options, configured, context))
  await withSite(
    context,
    async (site) => {
      await talk.say(words)
      await warnOfUnmatched(site, request.criteria, context)
      const printed = await print(options.format, site, request, context)
      if (printed === 0) await sayWhyNothing(site, request, talk)
    },
    { settings, connections: PAGES_AT_ONCE, builders: false },
  )
}

const STREAMS: Partial<Record<ListFormat, StreamFormat>> = { json, ndjson, csv, ids }

/** Returns how many users there were to print. */
async function print(
  format: ListFormat,
  site: Site,
  request: ListRequest,
  context: CommandContext,
): Promise<number> {
  const stream = STREAMS[format]
  if (stream) return printStream(stream, site, request, context)
  if (format === 'count') return printCount(site, request, context)
  return printTable(site, request, context)
}

async function printStream(
  format: StreamFormat,
  site: Site,
  request: ListRequest,
  context: CommandContext,
): Promise<number> {
  keepHeapLean()
  const fields = format === ids ? (['id'] as const) : request.fields
  let count = 0
  async function* counting() {
    for await (const page of listPages(site, { ...request, fields })) {
      count += page.users
      yield page
    }
  }
  const write = () => writeAll(context.stdout, format(counting(), fields))
  // On a terminal the users themselves show that it goes on.
  await (context.stdout.isTerminal ? write() : withProgress(context, 'reading', write))
  return count
}

async function printCount(site: Site, request: ListRequest, context: CommandContext) {
  const split = await withProgress(context, 'counting', () => tally(site, request.criteria))
  const count = countListed(split, request)
  await context.stdout.write(`${count}\n`)
  return count
}

async function sayWhyNothing(site: Site, { criteria, show }: ListRequest, talk: Talk): Promise<void> {
  const split = show === 'all' ? undefined : await tally(site, criteria)
  if (split && split.matched > 0) await talk.say(`none of them: ${tallyText(split)}`)
  else await sayNothingMatches(site, criteria, talk)
}
