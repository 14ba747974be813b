import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Liquid, LiquidError, type Template } from 'liquidjs'
import type { Instant } from '../django/datetime.ts'
import { invalid, UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { utf8In } from '../utf8.ts'
import { quickenDates } from './date-filter.ts'
import { builtInTemplates, TEMPLATE_FILES } from './templates/built-in.ts'
import { wrapText } from './wrap-text.ts'

/** What a template may use. Null: the user model has no such column, or nothing is in it. */
export interface ReminderVariables {
  readonly user: {
    readonly id: string
    readonly username: string | null
    readonly first_name: string | null
    readonly last_name: string | null
    readonly email: string | null
    readonly date_joined: Instant | null
    readonly last_login: Instant | null
    /** A name that is fit to be printed; null when there is none. */
    readonly display_name: string | null
  }
  /** The address that is mailed, and that the link confirms. */
  readonly address: string
  readonly link: string
  /** False: the link leads to the login page. */
  readonly link_confirms: boolean
  /** When the link stops working. */
  readonly link_expires: Instant | null
  /** When the account will be deleted, if a policy says so. */
  readonly deletion_date: Instant | null
  readonly site_name: string
  readonly site_url: string
}

export interface Rendered {
  /** One line. */
  readonly subject: string
  readonly text: string
  readonly html: string
}

export type RenderReminder = (variables: ReminderVariables) => Rendered

const EXTENSION = '.liquid'

/**
 * Returns what renders a reminder: from the templates of the directory, each missing one being built in. Dates are shown
 * in the zone. Throws a UserError that names the file and the line of what is wrong in them, before a mail is made.
 */
export async function reminderRenderer(directory: string | undefined, zone: string): Promise<RenderReminder> {
  const own = directory === undefined ? new Map<string, string>() : await readTemplates(directory)
  const files = new Map([...(await builtInTemplates()), ...own])
  const plain = engine(files, zone)
  const escaping = engine(files, zone, { outputEscape: 'escape' })
  const parts = {
    subject: templateOf(plain, files, TEMPLATE_FILES.subject),
    text: templateOf(plain, files, TEMPLATE_FILES.text),
    html: templateOf(escaping, files, TEMPLATE_FILES.html),
  }
  const render: RenderReminder = (variables) => ({
    subject: oneLine(parts.subject(variables)),
    text: wrapText(parts.text(variables)),
    html: parts.html(variables),
  })
  const rendered = SAMPLES.map(render)
  for (const sample of rendered) checkRendered(sample)
  return render
}

/** A mail without its link would ask for something that nobody can do. */
function checkRendered({ subject, text, html }: Rendered): void {
  if (subject === '') throw unfit(TEMPLATE_FILES.subject, 'comes out empty', 'every mail has a subject')
  const missing = !text.includes(FULL.link)
    ? TEMPLATE_FILES.text
    : !html.includes(FULL.link) && TEMPLATE_FILES.html
  if (missing) throw unfit(missing, 'does not print the link', 'wherever it leads: {{ link }}')
}

function unfit(file: string, what: string, hint: string): UserError {
  return invalid(`the template ${file} ${what}`, hint)
}

/** All in memory: a template can include the others of its directory, and no other file. */
async function readTemplates(directory: string): Promise<Map<string, string>> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw new UserError(`the templates cannot be read from ${directory}: ${fileReason(error)}`)
  })
  const known: readonly string[] = Object.values(TEMPLATE_FILES)
  if (!names.some((name) => known.includes(name))) {
    throw invalid(
      `there is no template in ${directory}`,
      `they are called ${known.join(', ')}; any of them may be missing`,
    )
  }
  const files = names.filter((name) => name.endsWith(EXTENSION))
  return new Map(
    await Promise.all(files.map(async (name) => [name, await readTemplate(directory, name)] as const)),
  )
}

async function readTemplate(directory: string, name: string): Promise<string> {
  const bytes = await readFile(join(directory, name)).catch((error: unknown) => {
    throw new UserError(`the template ${name} cannot be read: ${fileReason(error)}`)
  })
  const text = utf8In(bytes)
  if (text === undefined) throw invalid(`the template ${name} is not UTF-8 text`)
  return text
}

function engine(
  files: ReadonlyMap<string, string>,
  zone: string,
  escaping: { outputEscape?: 'escape' } = {},
): Liquid {
  const liquid = new Liquid({
    ...escaping,
    templates: Object.assign(Object.create(null), Object.fromEntries(files)),
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    cache: true,
    timezoneOffset: zone,
    locale: 'en',
    dateFormat: `%-d %B %Y, %H:%M ${zone === 'UTC' ? zone : `(${zone})`}`,
  })
  quickenDates(liquid, zone)
  return liquid
}

type Files = ReadonlyMap<string, string>

function templateOf(liquid: Liquid, files: Files, main: string): (variables: ReminderVariables) => string {
  function inWords<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw LiquidError.is(error) ? templateError(files, main, error as LiquidError) : error
    }
  }
  const parsed = inWords<Template[]>(() => liquid.parseFileSync(main))
  return (variables) => inWords<string>(() => liquid.renderSync(parsed, variables))
}

/** LiquidJS adds the place to the message, and then lines of the template. */
function templateError(
  files: Files,
  main: string,
  { token, message, originalError }: LiquidError,
): UserError {
  const [line] = token.getPosition()
  const [why = ''] = (originalError?.message ?? message).split('\n')
  const reason = why
    .replace(/, (file|line):.*$/, '')
    .replace(/^ENOENT: Failed to lookup "([^"]*)".*$/, 'there is no template $1 beside it')
  return invalid(
    `the template ${fileOf(files, token.input) ?? main}, line ${line}: ${reason}`,
    /undefined variable/.test(why) ? `there are: ${VARIABLE_NAMES.join(', ')}` : undefined,
  )
}

/** The token of a variable knows only the text that it comes from. */
function fileOf(files: Files, content: string): string | undefined {
  return [...files].find(([, text]) => text === content)?.[0]
}

function oneLine(text: string): string {
  // What looks like an encoded word (RFC 2047) would be decoded where it is read.
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .trim()
}

const FULL: ReminderVariables = {
  user: {
    id: '1',
    username: 'ann',
    first_name: 'Ann',
    last_name: 'Lee',
    email: 'ann@example.com',
    date_joined: '2020-01-01T12:00:00Z',
    last_login: '2020-01-01T12:00:00Z',
    display_name: 'Ann',
  },
  address: 'ann@example.com',
  link: 'https://site.example/confirm/key/',
  link_confirms: true,
  link_expires: '2020-02-01T12:00:00Z',
  deletion_date: '2020-03-01T12:00:00Z',
  site_name: 'Example',
  site_url: 'https://site.example/',
}

/** With everything and with as little as there can be: each side of a condition is tried. */
const SAMPLES: readonly ReminderVariables[] = [
  FULL,
  {
    ...FULL,
    user: {
      id: '1',
      username: null,
      first_name: null,
      last_name: null,
      email: null,
      date_joined: null,
      last_login: null,
      display_name: null,
    },
    link_confirms: false,
    link_expires: null,
    deletion_date: null,
  },
]

const VARIABLE_NAMES = [
  ...Object.keys(FULL.user).map((name) => `user.${name}`),
  ...Object.keys(FULL).filter((name) => name !== 'user'),
]
