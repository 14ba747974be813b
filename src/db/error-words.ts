/** A driver's own error, with what PostgreSQL adds to it. */
export interface DriverError extends Error {
  readonly code?: string
  readonly syscall?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly detail?: string
  /** Where in the server's source; the same in every language. */
  readonly routine?: string
}

/** What happened, and what to do about it. One line each, without SQL, parameters or values. */
export type Words = readonly [message: string, hint?: string]

type Wording = (error: DriverError, target: string) => Words

/** Returns the error in words, or undefined when it is not one that an administrator can act on. */
export function wordsFor(error: DriverError, target: string): Words | undefined {
  // Its code is that of every syntax error, and it speaks of each option in other words.
  if (error.routine === 'process_postgres_switches') return OPTIONS_NOT_UNDERSTOOD
  const byMessage = MESSAGES.find(([pattern]) => pattern.test(error.message))
  if (byMessage) return byMessage[1](error, target)
  const code = error.code ?? ''
  // A missing file is the database's business only when it is the server's socket.
  if (code === 'ENOENT' && error.syscall !== 'connect') return undefined
  return CODES.find(([pattern]) => pattern.test(code))?.[1](error, target)
}

const OPTIONS_NOT_UNDERSTOOD: Words = [
  'the server does not understand options',
  'write -c name=value, see options in the URL, and PGOPTIONS',
]
const lost: Wording = (_, target) => [
  `the connection to ${target} was lost`,
  'see whether the server is up, then run the command again',
]
const asksForPassword: Wording = (_, target) => [
  `${target} asks for a password`,
  'give it in ~/.pgpass or PGPASSWORD',
]
const readOnly: Wording = () => [
  'the database is read-only',
  'point at the primary, or use a role that may write',
]
const noAnswer: Wording = (_, target) => [
  `nothing answers at ${target}`,
  'see whether the server runs, and the host and port of the URL',
]
const noAddress: Wording = (_, target) => [
  `the host of ${target} has no address`,
  'see the host name of the URL',
]
const locked: Wording = (_, target) => [
  `${target} is locked by another process`,
  'run the command again when the other one has finished',
]
const foreignKey: Wording = ({ message, table, constraint }) => [
  `${/^insert/.test(message) ? 'it refers to a row that is not there' : 'another row still refers to it'} (${[table, constraint].filter(Boolean).join(', ')})`,
]
const inTheWay: Wording = ({ message }) => [
  `there is a table or view of that name already: ${plain(/(?:table|view|index|relation) (\S+) already exists/.exec(message)?.[1] ?? '')}`,
  'a site can only be made where nothing is in its way: rename or drop it',
]
const taken: Wording = ({ message, table = '', detail = '', constraint = '' }) => {
  // Of PostgreSQL's detail the columns, of which it speaks first; of SQLite's message what follows the colon.
  const names = /\((.*?)\)=\(/.exec(detail)?.[1]?.split(', ')
  return [
    names || table
      ? takenAlready(table, names ?? [constraint])
      : `taken already: ${plain(message.replace(/^.*?: /, ''))}`,
  ]
}
const valueMissing: Wording = ({ message, table, column }) => [
  `a value is missing: ${column === undefined ? plain(message.replace(/^.*?: /, '')) : [table, column].join('.')}`,
]
const triggered: Wording = () => ['a trigger of the database refused it']

/** The statement could tell the table, and is not to be shown. */
function missingColumn(name: string): Words {
  return [
    `a column is missing: ${plain(name)}`,
    "usermgmt migrate tells whether it is one of the tool's own tables; else see which migrations of the site are pending",
  ]
}

/** Codes of a key or a unique value that another row has already. */
export const TAKEN = /^(23505|23P01|SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID))$/

/** What pg says when it has waited for the server in vain. */
export const NO_ANSWER = /connection timeout/i

/** What pg says when a statement has taken longer than `query_timeout`; the server is still at it. */
export const TOO_SLOW = /^Query read timeout/

/** What pg says when the connection ends under it. */
export const LOST =
  /Connection terminated|connection timeout|Client has encountered a connection error|not queryable/i

/** Errors that carry no code of their own; the texts are the drivers', never the server's in its language. */
const MESSAGES: readonly [RegExp, Wording][] = [
  // A hot standby says it as a feature that it lacks (0A000).
  [/transaction read-write mode during recovery/, readOnly],
  [NO_ANSWER, noAnswer],
  [LOST, lost],
  [TOO_SLOW, () => ['a statement took longer than query_timeout', 'raise it in the URL']],
  [/^SASL: .*password must be a/, asksForPassword],
  [
    /^The server does not support SSL|^There was an error establishing an SSL/,
    (_, target) => [
      `${target} does not offer an encrypted connection`,
      'see the server, and sslmode in the URL',
    ],
  ],
  [
    /^unrecognized configuration parameter/,
    () => ['the server does not know a setting of the URL', 'see options in the URL'],
  ],
  [
    /^no such table: /,
    ({ message }) => [
      `a table is missing: ${plain(message.slice(15))}`,
      howToMake(message) ?? 'see the database URL',
    ],
  ],
  [
    /^foreign key mismatch/,
    ({ message }) => [
      `a foreign key fits nothing: ${plain(message.replace(/^.*? - /, ''))}`,
      'it has to refer to a primary key, or to columns that are unique: mend the table, or drop it',
    ],
  ],
  [/^(table|view|index) \S+ already exists/, inTheWay],
  [/^no such column: /, ({ message }) => missingColumn(plain(message.slice(16)))],
  [
    /^table \S+ has no column named /,
    ({ message }) => missingColumn(message.replace(/^table (\S+) has no column named (\S+)$/, '$1.$2')),
  ],
]

/** By code, first match wins: SQLSTATE (PostgreSQL manual, Appendix A), SQLite's result codes, Node's system errors. */
const CODES: readonly [RegExp, Wording][] = [
  [/^(ECONNREFUSED|ENOENT)$/, noAnswer],
  [/^(ENOTFOUND|EAI_AGAIN)$/, noAddress],
  [
    /^ETIMEDOUT$/,
    (_, target) => [`${target} does not answer`, 'see the host and port of the URL, and the firewall'],
  ],
  [
    /^E(HOST|NET)UNREACH$/,
    (_, target) => [`${target} cannot be reached`, 'see the host and port of the URL'],
  ],
  [/^(EC|EPIPE|08)/, lost],
  [
    /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|CERT_|HOSTNAME_MISMATCH|ERR_TLS)/,
    (_, target) => [
      `the certificate of ${target} is not trusted`,
      'see sslmode and sslrootcert in the URL, and the date of the certificate',
    ],
  ],
  [
    /^28P01$/,
    (error, target) =>
      error.message.startsWith('empty password')
        ? asksForPassword(error, target)
        : [`wrong password for ${target}`, 'give it in ~/.pgpass or PGPASSWORD'],
  ],
  [
    /^28/,
    (_, target) => [
      `${target} does not accept this role from here`,
      'see the role, pg_hba.conf on the server, and whether it wants sslmode=require',
    ],
  ],
  [
    /^3D000$/,
    (_, target) => [
      `there is no database ${target}`,
      'see the name at the end of the URL; without one it is that of the role',
    ],
  ],
  [
    /^42501$/,
    ({ message }) => {
      const hides = /row-level security policy for table (.*)$/.exec(message)
      return hides
        ? [
            `row level security hides rows of ${plain(hides[1] ?? '')} from this role`,
            'use the role that owns the table, or one with BYPASSRLS',
          ]
        : [
            `permission denied${permission(message)}`,
            'the README lists what each command needs: GRANT that to the role',
          ]
    },
  ],
  [
    /^42P01$/,
    ({ message }) => [
      `a table is missing${missing(message)}`,
      howToMake(message) ?? 'see the search_path of the URL',
    ],
  ],
  [/^42P07$/, inTheWay],
  [/^42703$/, ({ message }) => missingColumn(columnIn(message))],
  [
    /^3F000$/,
    () => ['the search_path of the URL names no schema that exists', 'create the schema, or see the URL'],
  ],
  [
    /^22021$/,
    () => [
      'the database holds text that is not UTF-8',
      'see its encoding: in one of SQL_ASCII, text of another encoding has to be converted first',
    ],
  ],
  [/^25006$/, readOnly],
  [
    /^25P03$/,
    () => [
      'the server ended a transaction that was idle for too long',
      'raise idle_in_transaction_session_timeout for this role, or in the URL',
    ],
  ],
  [/^22(P02|00[1378])$/, () => ['a value does not fit the type of its column']],
  [
    /^55P03$/,
    () => ['another transaction holds a lock for too long', 'run the command again when the site is calmer'],
  ],
  [
    /^(54000|SQLITE_TOOBIG|ERR_STRING_TOO_LONG)$/,
    () => ['a value is too large', 'in a purge, lower --batch-size'],
  ],
  [
    /^57014$/,
    () => [
      'the server ended a statement that took too long',
      'raise statement_timeout for this role, or in the URL; in a purge, a lower --batch-size may do',
    ],
  ],
  [
    /^57P0[15]$/,
    (_, target) => [
      `the server of ${target} has ended the connection`,
      'it is shutting down, or somebody has ended it, or a timeout; run the command again',
    ],
  ],
  [
    /^57P04$/,
    (_, target) => [`the database ${target} has been dropped`, 'see the name at the end of the URL'],
  ],
  [
    /^57P/,
    (_, target) => [
      `the server of ${target} is shutting down or starting`,
      'run the command again when it is up',
    ],
  ],
  // No statement of ours gives a setting a value of the site's.
  [/^22023$/, () => ['the server refuses the value of a setting', 'see options in the URL, and PGOPTIONS']],
  [
    /^53300$/,
    (_, target) => [
      `${target} has no free connection`,
      'try again later; a purge needs fewer with a lower --jobs',
    ],
  ],
  [
    /^(53100|SQLITE_FULL)/,
    () => ['the disk of the database is full', 'make room there, then run the command again'],
  ],
  [
    /^58/,
    (_, target) => [`the server of ${target} cannot read or write its files`, 'see its log, and its disk'],
  ],
  [
    /^XX00[12]$/,
    (_, target) => [`the server of ${target} has found damaged data`, 'see its log, and a backup'],
  ],
  [
    /^SQLITE_NOMEM/,
    () => ['there is not enough memory', 'see what else uses it, then run the command again'],
  ],
  [/^53/, (_, target) => [`the server of ${target} is out of resources`, 'try again later']],
  [/^(23503|23001)$/, foreignKey],
  [TAKEN, taken],
  [/^(23502|SQLITE_CONSTRAINT_NOTNULL)$/, valueMissing],
  [
    /^23/,
    ({ table, constraint, column }) => [
      `a constraint forbids it (${[table, constraint ?? column].filter(Boolean).join(', ')})`,
    ],
  ],
  [/^P0001$/, triggered],
  [/^40/, () => ['another transaction got in the way', 'run the command again']],
  [/^SQLITE_(BUSY|LOCKED)/, locked],
  [
    /^SQLITE_NOTADB/,
    (_, target) => [`${target} is not a SQLite database`, 'see the path of the database URL'],
  ],
  [/^SQLITE_CORRUPT/, (_, target) => [`${target} is damaged`, 'see: sqlite3 FILE "pragma integrity_check"']],
  [
    /^SQLITE_(CANTOPEN|PERM|AUTH)/,
    (_, target) => [`${target} cannot be opened`, 'see who may read and write the file and its directory'],
  ],
  [
    /^SQLITE_READONLY_DIRECTORY/,
    (_, target) => [
      `nothing can be written beside ${target}`,
      'SQLite keeps files there, in WAL mode even to read: see who may write the directory, or look at a copy',
    ],
  ],
  [
    /^SQLITE_READONLY/,
    (_, target) => [`${target} is read-only`, 'see who may write the file and its directory'],
  ],
  [
    /^SQLITE_IOERR/,
    (_, target) => [
      `${target} cannot be read or written (I/O error)`,
      'see whether its disk has room and works, and who may write the file and its directory',
    ],
  ],
  // SQLite does not say which one, nor from which side.
  [/^SQLITE_CONSTRAINT_FOREIGNKEY$/, () => ['a foreign key forbids it']],
  [/^SQLITE_CONSTRAINT_TRIGGER$/, triggered],
  [/^SQLITE_(CONSTRAINT|MISMATCH)/, ({ message }) => [`the database refused it: ${plain(message)}`]],
]

/** Returns that another row of the table has the value of a column, or the values of several together. */
export function takenAlready(table: string, columns: readonly string[]): string {
  return `taken already: ${columns.map((name) => `${table}.${name}`).join(', ')}`
}

/** SQLite names tables and columns there; whatever else a CHECK may hold loses its punctuation. */
function plain(text: string): string {
  return text.replace(/[^\w .,:_-]/g, '')
}

function permission(message: string): string {
  const found = /for (?:table|relation|schema|database|sequence) \S+/.exec(message)
  return found ? ` ${found[0]}` : ''
}

function missing(message: string): string {
  const found = /relation ("?[\w."]+"?)/.exec(message)
  return found?.[1] ? `: ${found[1].replaceAll('"', '')}` : ''
}

/** With its table where the server names it: `column "counts" of relation "usermgmt_run" does not exist`. */
function columnIn(message: string): string {
  const [, column = '', table] = /column ("?[\w."]+"?)(?: of relation ("?[\w."]+"?))?/.exec(message) ?? []
  return (table === undefined ? column : `${table}.${column}`).replaceAll('"', '')
}

/** The tool's own tables are easily made. */
function howToMake(message: string): string | undefined {
  return /\busermgmt_\w/.test(message) ? 'usermgmt migrate makes it' : undefined
}
