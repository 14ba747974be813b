import { resolve } from 'node:path'
import { UserError } from '../errors.ts'

/** Where a database is. A PostgreSQL URL may hold a password: print `shownTarget`, never the URL. */
export type DatabaseTarget =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

const POSTGRES = /^(postgres|postgresql|postgis|psql|pgsql):\/\//i

const MISPLACED_AT = /^\w+:\/\/[^/?#]*[/#][^?]*@/

/** What libpq takes beside URLs: `host=… dbname=…`. No file of a site is called so. */
const CONNECTION_STRING = /^\s*\w+\s*=/

/** A URL in quotes, behind a word or without its beginning. */
const PIECE_OF_URL = /:\/\/|:[^/]*@/

/**
 * Reads a path, `sqlite:path`, `sqlite:///path` as Django's URL packages write it (three slashes: relative,
 * four: absolute) or a `postgres://` URL. Relative paths start at `base`.
 * Throws a UserError (invalid) for another scheme, and for what can only be a slip: it never repeats a password.
 */
export function parseDatabaseUrl(text: string, base: string): DatabaseTarget {
  if (POSTGRES.test(text)) {
    // Of a password that ends too early, the rest would be taken for a name, and shown.
    if (MISPLACED_AT.test(text)) {
      throw new UserError('the PostgreSQL URL has an @ behind its host', {
        kind: 'invalid',
        hint: 'within a password / is written %2F, ? %3F, # %23, and @ %40, also in the name of a database',
      })
    }
    return { kind: 'postgres', url: text.replace(POSTGRES, 'postgres://') }
  }
  const path = text.replace(/^sqlite3?:(\/\/\/?)?/i, '').replace(/^file:(\/\/)?/i, '')
  if (/^(postgres|postgresql|postgis|psql|pgsql):/i.test(path) || CONNECTION_STRING.test(path)) throw noUrl()
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(path)?.[1]
  if (scheme) {
    throw new UserError(`databases of kind "${scheme}" are not supported`, {
      kind: 'invalid',
      hint: 'give the path of a SQLite file, or a URL that starts with sqlite: or postgres://',
    })
  }
  if (PIECE_OF_URL.test(path)) throw noUrl()
  if (path === '') {
    throw new UserError('the database URL names no file', {
      kind: 'invalid',
      hint: 'for example: sqlite:db.sqlite3',
    })
  }
  return { kind: 'sqlite', path: resolve(base, path.replace(/^~(?=\/)/, home)) }
}

/** Not a word of it is repeated: it may hold a password. */
function noUrl(): UserError {
  return new UserError('that is not the URL of a PostgreSQL database', {
    kind: 'invalid',
    hint: 'it looks like postgres://user@host/name, without quotes around it',
  })
}

function home(): string {
  return process.getBuiltinModule('node:os').homedir()
}

/** What says where the database is, among the parameters. Anything else may be part of a password, wrongly written. */
const PLACE = { user: /^[\w.-]+$/, host: /^[\w.:/-]+$/, port: /^\d+$/ } as const

/** Returns the target as it may be shown and logged: without its password, and of the parameters only where it is. */
export function shownTarget(target: DatabaseTarget): string {
  if (target.kind === 'sqlite') return target.path
  // Without a host, as for a Unix socket, it is none in the eyes of the standard.
  const named = target.url.replace('@/', '@localhost/')
  try {
    const { username, hostname, port, pathname, searchParams } = new URL(named)
    const parameter = (name: keyof typeof PLACE) => PLACE[name].exec(searchParams.get(name) ?? '')?.[0]
    const user = parameter('user') ?? decodeURIComponent(username)
    const server = parameter('host') ?? (named === target.url ? hostname : '')
    // A directory of sockets is no part of an address.
    const isSocket = server.startsWith('/')
    const address = isSocket ? '' : withPort(server, parameter('port') ?? port)
    return `postgres://${user && `${user}@`}${address}${pathname}${isSocket ? `?host=${server}` : ''}`
  } catch {
    return 'the PostgreSQL database'
  }
}

function withPort(host: string, port: string): string {
  return host !== '' && port !== '' ? `${host}:${port}` : host
}

/** What libpq and pg take for a password in the parameters of a URL. */
const PASSWORD = /^(ssl)?password=/i

/** Returns the target as it may be given again: with the parameters, which may lead to another schema, and no password. */
export function typedTarget(target: DatabaseTarget): string {
  if (target.kind === 'sqlite') return target.path
  const [, authority = '', path = '', parameters = ''] =
    /^postgres:\/\/([^/?#]*)([^?]*)\??(.*)$/s.exec(target.url) ?? []
  const host = authority.lastIndexOf('@') + 1
  const [user = ''] = authority.slice(0, Math.max(0, host - 1)).split(':')
  const kept = parameters.split('&').filter((each) => !PASSWORD.test(String(new URLSearchParams(each))))
  const query = kept.join('&')
  return `postgres://${host > 0 ? `${user}@` : ''}${authority.slice(host)}${path}${query && `?${query}`}`
}
