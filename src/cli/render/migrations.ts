import { wholeSecond } from '../../django/datetime.ts'
import type { MigrationPlan, MigrationState } from '../../site/migrate.ts'

const HOLDS: Record<MigrationPlan['holds'], string> = {
  nothing: 'The database is empty.',
  'a site': 'The database holds a site with django-allauth.',
  'tables without allauth':
    'The database has tables, but none of allauth: it is no whole site, or (on PostgreSQL) its search_path leads past it.',
}

/** What has become of a migration, by what it was before. */
const DONE: Partial<Record<MigrationState['state'], string>> = { pending: 'applied', incomplete: 'repaired' }

/** Returns what the database is, and what has become of each migration. */
export function migrationStatus({ holds, states }: MigrationPlan): string {
  const names = states.map(nameOf)
  const width = Math.max(...names.map((name) => name.length))
  const lines = states.map((state, i) => `${names[i]?.padEnd(width)}  ${fate(state)}`)
  return [HOLDS[holds], ...lines, ''].join('\n')
}

/** Returns what has just been applied, one a line. */
export function appliedMigrations({ states }: MigrationPlan): string {
  return states
    .map((each) => ({ done: DONE[each.state], name: nameOf(each) }))
    .map(({ done, name }) => (done === undefined ? '' : `${done} ${name}\n`))
    .join('')
}

/** Returns what a person should know about the plan before or after it is followed. */
export function migrationRemark({ holds, statements }: MigrationPlan): string {
  if (statements.length === 0) return 'Nothing to do.'
  const rest =
    holds === 'nothing'
      ? 'It gets all tables that Django and allauth expect.'
      : 'Only the usermgmt_* tables are added.'
  return `${HOLDS[holds]} ${rest}`
}

function nameOf({ migration: { folder, name } }: MigrationState): string {
  return `${folder}/${name}`
}

function fate({ state, appliedAt = '', changed }: MigrationState): string {
  if (state === 'incomplete') return 'incomplete: a table of it is missing'
  if (state !== 'applied') return state
  return `applied ${wholeSecond(appliedAt)}${changed ? ' (the file was another one then)' : ''}`
}
