import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import { cellText } from '../../src/cli/render/cells.ts'
import { plainJson, plainText } from '../../src/cli/render/plain-text.ts'
import { planJson, planText, reportJson, reportText } from '../../src/cli/render/purge.ts'
import { screenTable } from '../../src/cli/render/screen-table.ts'
import { csv, ids, json, ndjson } from '../../src/cli/render/streams.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { alignedRows, columnWidths, tableHead, tableRows } from '../../src/cli/render/table.ts'
import { tallyText } from '../../src/cli/render/tally.ts'
import { widthOf } from '../../src/cli/render/text-width.ts'
import { UserError } from '../../src/errors.ts'
import type { ListedUser, ListField } from '../../src/users/list-fields.ts'
import type { ListPage } from '../../src/users/list-pages.ts'
import type { PurgePlan } from '../../src/users/purge/plan.ts'
import type { PurgeReport } from '../../src/users/purge/purge-report.ts'

const EVIL = 'a\u001b[31mb\u0007c\rd\ne\u0085f\u202eg\u2066h\u2028i'
const EVIL_SHOWN = 'a\\u001b[31mb\\u0007c\\u000dd\\u000ae\\u0085f\\u202eg\\u2066h\\u2028i'

const ANNA: ListedUser = {
  id: '7',
  username: 'anna',
  email: 'anna@example.com',
  last_login: null,
  date_joined: '2020-01-01T10:00:00.000001Z',
  kept_because: ['staff', 'content'],
  is_active: true,
  addresses: [
    { email: 'anna@example.com', verified: false, primary: true },
    { email: 'a@example.com', verified: true, primary: false },
  ],
}

/** Two pages, when there are two users. */
async function* of(...users: ListedUser[]): AsyncGenerator<ListPage> {
  if (users.length === 0) return
  yield { users: users.length, lines: users.map((user) => JSON.stringify(user)).join('\n') }
}

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = ''
  for await (const piece of pieces) all += piece
  return all
}

describe('plain text', () => {
  test('spells out whatever could move the cursor or turn the writing round', () => {
    expect(plainText(EVIL)).toBe(EVIL_SHOWN)
  })

  test.each([
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['\ufeffmark', '\\ufeffmark'],
    ['tag\u{e0041}', 'tag\\udb40\\udc41'],
  ])('spells out what nobody sees: %j', (name, shown) => {
    expect(plainText(name)).toBe(shown)
    expect(JSON.parse(plainJson(name))).toBe(name)
  })

  test('leaves letters, marks and emoji alone', () => {
    const name = 'José 李小龍 नमस्ते 👩‍👩‍👧 ﷺ می\u200cخواهم'
    expect(plainText(name)).toBe(name)
  })

  test('in JSON the value is unchanged', () => {
    expect(plainJson({ name: EVIL })).not.toContain('\u202e')
    expect(JSON.parse(plainJson({ name: EVIL }))).toEqual({ name: EVIL })
  })
})

describe('cells', () => {
  test.each<[ListField, string]>([
    ['id', '7'],
    ['last_login', ''],
    ['kept_because', 'staff, content'],
    ['is_active', 'true'],
    ['is_staff', ''],
    ['addresses', 'anna@example.com (unverified, primary), a@example.com (verified)'],
  ])('%s is %s', (field, cell) => {
    expect(cellText(ANNA, field)).toBe(cell)
  })
})

describe('formats that stream', () => {
  test('json is an array, a user in each line', async () => {
    const printed = await text(json(of({ id: '7', username: 'anna' }, { id: '8', username: null })))
    expect(printed).toBe('[\n  {"id":"7","username":"anna"},\n  {"id":"8","username":null}\n]\n')
    expect(JSON.parse(printed)).toHaveLength(2)
  })

  test('json of nobody', async () => {
    expect(await text(json(of()))).toBe('[]\n')
  })

  test('no control character of a name comes out of json and ndjson', async () => {
    for (const format of [json, ndjson]) {
      const printed = await text(format(of({ username: EVIL })))
      for (const character of ['\u001b', '\u202e']) expect(printed).not.toContain(character)
      expect([JSON.parse(printed)].flat()).toEqual([{ username: EVIL }])
    }
  })

  test('ndjson, ids', async () => {
    expect(await text(ndjson(of({ id: '7' }, { id: '8' })))).toBe('{"id":"7"}\n{"id":"8"}\n')
    expect(await text(ids(of(ANNA, { id: '8' })))).toBe('7\n8\n')
  })

  test.each([
    ['=cmd()', "'=cmd()"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@sum', "'@sum"],
    ['＝1', "'＝1"],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['=1,2', `"'=1,2"`],
  ])('a csv cell %s', async (username, cell) => {
    expect(await text(csv(of({ username }), ['username']))).toBe(`username\n${cell}\n`)
  })

  test.each(['\t=1', '\r=1', '\u001b[31m', 'a\nb'])('csv %j becomes one harmless line', async (username) => {
    const printed = await text(csv(of({ username }), ['username']))
    expect(printed).toBe(`username\n${plainText(username)}\n`)
  })
})

describe('a table', () => {
  const fields = ['id', 'username', 'last_login'] as const
  const rows = tableRows([ANNA, { id: '1234', username: EVIL }, { id: '9', username: '李小龍' }], fields)

  test('is measured with all of Unicode only when a cell needs it', async () => {
    expect((await widthOf([['anna', 'x@example.com']]))('abc')).toBe(3)
    expect((await widthOf([['anna'], ['李小龍']]))('李小龍')).toBe(6)
  })

  test('has straight columns, whatever the width of the letters', () => {
    const shown = tableRows(
      [ANNA, { id: '1234', username: '李小龍', last_login: '2020-01-01T00:00:00Z' }],
      fields,
    )
    const widths = columnWidths([fields, ...shown], [], stringWidth)
    const table = tableHead(fields, widths, PLAIN) + alignedRows(shown, widths, stringWidth)
    expect(screenTable(shown, fields, 80, PLAIN)).toBe(table)
    expect(table).toBe(
      [
        'id    username  last_login',
        '────  ────────  ────────────────────',
        '7     anna      never',
        '1234  李小龍    2020-01-01T00:00:00Z',
        '',
      ].join('\n'),
    )
  })

  test('holds no control character', () => {
    const lines = screenTable(rows, fields, 200, PLAIN).split('\n')
    expect(lines.join('')).toBe(plainText(lines.join('')))
    expect(lines).toHaveLength(6)
  })

  const long = tableRows([{ id: '1', username: 'x'.repeat(60), last_login: null }], fields)

  test.each([
    [76, 60],
    [75, 59],
    [40, 24],
    [26, 10],
  ])('of %d columns gives way where it can be cut, and says so', (columns, width) => {
    const name = width === 60 ? 'x'.repeat(60) : `${'x'.repeat(width - 1)}…`
    expect(screenTable(long, fields, columns, PLAIN)).toBe(
      [
        `id  username${' '.repeat(width - 8)}  last_login`,
        `──  ${'─'.repeat(width)}  ──────────`,
        `1   ${name.padEnd(width)}  never`,
        '',
      ].join('\n'),
    )
  })

  test('is cut where it is widest', () => {
    const row = ['1', 'a'.repeat(14), 'b'.repeat(12)]
    expect(screenTable([row], ['id', 'username', 'email'], 28, PLAIN).split('\n')[2]).toBe(
      `1   ${'a'.repeat(10)}…  ${'b'.repeat(10)}…`,
    )
  })

  test('keeps its headings whole', () => {
    const row = ['1', 'a'.repeat(12), 'staff, content']
    expect(screenTable([row], ['id', 'username', 'kept_because'], 28, PLAIN)).toBe(
      `id  username    kept_because\n──  ──────────  ────────────\n1   aaaaaaaaa…  staff, cont…\n`,
    )
  })

  test('is never cut beyond use: one field below the other', () => {
    const below = `id          1\nusername    ${'x'.repeat(60)}\nlast_login  never\n`
    expect(screenTable(long, fields, 25, PLAIN)).toBe(below)
    expect(screenTable([['1', 'never']], ['id', 'last_login'], 5, PLAIN)).toBe(
      'id          1\nlast_login  never\n',
    )
  })

  test('widths never shrink from page to page', () => {
    expect(columnWidths([['a', 'bbb']], [2, 2], stringWidth)).toEqual([2, 3])
  })
})

describe('the split by guard', () => {
  test('largest first', () => {
    expect(tallyText({ matched: 1234, deletable: 1100, kept: { content: 44, recent: 90, staff: 0 } })).toBe(
      '1,234 candidates: 1,100 can be deleted; kept: 90 recent, 44 content',
    )
  })

  test('of one', () => {
    expect(tallyText({ matched: 1, deletable: 1, kept: {} })).toBe('1 candidate: 1 can be deleted')
  })
})

describe('a plan', () => {
  const plan: PurgePlan = {
    since: '2020-01-01T00:00:00Z',
    matched: 1234,
    toDelete: 1100,
    changed: 0,
    kept: { recent: 90, content: 44 },
    tables: { auth_user: 1100, account_emailaddress: 1180 },
    nulled: { 'blog_post.editor_id': 12 },
    keeping: [
      { edge: 'blog_post.author_id', users: 40, column: 'blog_post.author_id', remedies: ['delete'] },
      { edge: 'auth_user.boss_id', users: 4, column: 'auth_user.boss_id', remedies: [] },
    ],
    missingIndexes: [
      {
        edge: 'blog_post.author_id',
        statement: 'CREATE INDEX "blog_post_author_id" ON "blog_post" ("author_id");',
        seconds: 9_900,
      },
      {
        edge: 'blog_post.editor_id',
        statement: 'CREATE INDEX "blog_post_editor_id" ON "blog_post" ("editor_id");',
      },
    ],
    users: 9000,
    triggers: [],
    looseReferences: [],
    batches: [],
  }

  test('for people', () => {
    expect(
      planText(plan, 'not logged in since 2020-01-01 00:00 UTC (or never)', PLAIN),
    ).toBe(`1,100 users to delete, of 1,234 candidates
not logged in since 2020-01-01 00:00 UTC (or never)

Kept (whom two guards keep counts for both)
  90  recent   joined, or was last written to, within the grace period
  44  content  has rows that no rule lets go

What keeps them (content), and what would change it
  40  blog_post.author_id  --cascade blog_post.author_id
   4  auth_user.boss_id    nothing: no rule can change it

Rows to delete
  1,180  account_emailaddress
  1,100  auth_user

Rows to set to NULL
  12  blog_post.editor_id

No index on these references: a purge reads whole tables, which may take about 2.8 h. To create them
  CREATE INDEX "blog_post_author_id" ON "blog_post" ("author_id");
  CREATE INDEX "blog_post_editor_id" ON "blog_post" ("editor_id");
`)
  })

  test('names what looks like a reference, where there is something', () => {
    expect(planText({ ...plan, looseReferences: ['shop_invoice.user_id'] }, '', PLAIN)).toContain(`
Look like references to users, but are no foreign keys: they keep nobody
  shop_invoice.user_id
  to keep those users, name the column in the configuration file: references
`)
    expect(planText(plan, '', PLAIN)).not.toContain('references to users')
  })

  test('says no time where none is known', () => {
    const missingIndexes = plan.missingIndexes.map(({ edge, statement }) => ({ edge, statement }))
    expect(planText({ ...plan, missingIndexes }, '', PLAIN)).toContain(
      '\nNo index on these references: a purge reads whole tables. To create them\n',
    )
  })

  test.each([
    ['Blog Post.author_id', "'Blog Post.author_id'"],
    ["it's.user id", "'it'\\''s.user id'"],
    ['note.a.user.id', 'note.a.user.id'],
  ])('offers options as a shell takes them, for %s', (column, word) => {
    const table = { edge: column, users: 2, column }
    const keeping = [
      { ...table, remedies: ['set-null', 'delete'] as const },
      { ...table, remedies: ['undeclare'] as const },
    ]
    expect(planText({ ...plan, keeping }, '', PLAIN)).toContain(
      `${column}  --set-null ${word}, or to delete the rows: --cascade ${word}\n`,
    )
    expect(JSON.parse(planJson({ ...plan, keeping })).keeping).toEqual([
      { edge: column, users: 2, options: [`--set-null ${word}`, `--cascade ${word}`] },
      { edge: column, users: 2, options: ['leave it out of references in the configuration file'] },
    ])
  })

  test('for machines names the missing indexes, when there are some', () => {
    expect(JSON.parse(planJson(plan)).missing_indexes).toEqual(plan.missingIndexes)
  })

  test('for machines has the keys of the report', () => {
    const planned = JSON.parse(planJson({ ...plan, keeping: [], missingIndexes: [] }))
    expect(planned).toEqual({
      since: '2020-01-01T00:00:00Z',
      matched: 1234,
      to_delete: 1100,
      kept: { recent: 90, content: 44 },
      changed: 0,
      tables: { auth_user: 1100, account_emailaddress: 1180 },
      nulled: { 'blog_post.editor_id': 12 },
      failed: [],
      stopped: null,
    })
    const report = JSON.parse(reportJson({ ...plan, deleted: 1100, failed: [] }))
    const { to_delete, ...rest } = planned
    expect(report).toEqual({ ...rest, deleted: to_delete, archive: null })
  })

  test('of which some have changed since says so', () => {
    const reviewed = { ...plan, toDelete: 1092, changed: 8 }
    expect(planText(reviewed, '', PLAIN)).toContain('\n   8  changed  since the plan was made\n')
    expect(JSON.parse(planJson(reviewed))).toMatchObject({ to_delete: 1092, changed: 8 })
  })

  test('a report names who could not be deleted, and why', () => {
    const failed = Array.from({ length: 22 }, (_, index) => ({
      id: `${index}`,
      reason: 'a trigger refused it\u001b',
    }))
    const shown = reportText({ ...plan, deleted: 1000, changed: 3, failed }, PLAIN)
    expect(shown).toContain('1,000 users deleted, of 1,234 candidates\n')
    expect(shown).toContain('   3  changed  since the plan was made\n')
    expect(shown).toContain('Not deleted: 22 users\n  0: a trigger refused it\\u001b\n')
    expect(shown).toContain('  and 2 more (--format json has all)\n')
    expect(shown).toMatch(/\nno archive: what is deleted cannot be put back\n$/)
  })

  test('a report says what undoes it, without control characters', () => {
    const undone = { ...plan, deleted: 1, failed: [], archive: '/a/b\u001b.gz', undo: 'usermgmt restore x' }
    expect(reportText(undone, PLAIN)).toMatch(
      /\n\narchive: \/a\/b\\u001b.gz\nto put everybody back: usermgmt restore x\n$/,
    )
  })

  test.each<[PurgeReport['stopped'], unknown]>([
    [undefined, null],
    ['interrupted', { reason: 'interrupted' }],
    [
      { error: new UserError('the archive cannot be written: the disk is full') },
      { reason: 'error', message: 'the archive cannot be written: the disk is full' },
    ],
    [
      { error: Object.assign(new Error('Connection terminated'), { query: 'select 1' }) },
      { reason: 'error', message: 'the connection to the database was lost' },
    ],
    [{ error: new TypeError('anna@example.com is not a function') }, { reason: 'error', message: 'a bug' }],
  ])('a report for machines says whether and why it has stopped: %o', (stopped, record) => {
    const report = JSON.parse(reportJson({ ...plan, deleted: 1, failed: [], stopped }))
    expect(report.stopped).toEqual(record)
  })
})
