import { expect, test } from 'vitest'
import { databaseFault, explainDatabaseError } from '../../src/db/errors.ts'
import { UserError } from '../../src/errors.ts'

function failure(code: string, more: object = {}): Error {
  return Object.assign(new Error('what the driver says'), { code, ...more })
}

/** What no test server does on demand. */
test.each([
  ['53300', 'connection', 'TARGET has no free connection'],
  ['53200', 'storage', 'the server of TARGET is out of resources'],
  ['53000', 'storage', 'the server of TARGET is out of resources'],
  ['53100', 'storage', 'the disk of the database is full'],
  ['58030', 'storage', 'the server of TARGET cannot read or write its files'],
  ['XX001', 'storage', 'the server of TARGET has found damaged data'],
  ['SQLITE_NOMEM', 'storage', 'there is not enough memory'],
  ['SQLITE_FULL', 'storage', 'the disk of the database is full'],
  ['57P01', 'connection', 'the server of TARGET has ended the connection'],
  ['57P05', 'connection', 'the server of TARGET has ended the connection'],
  ['57P04', 'connection', 'the database TARGET has been dropped'],
  ['57P03', 'connection', 'the server of TARGET is shutting down or starting'],
  ['28000', 'connection', 'TARGET does not accept this role from here'],
  ['08006', 'connection', 'the connection to TARGET was lost'],
  ['ECONNRESET', 'connection', 'the connection to TARGET was lost'],
  ['ETIMEDOUT', 'connection', 'TARGET does not answer'],
  ['EHOSTUNREACH', 'connection', 'TARGET cannot be reached'],
  ['40001', 'retry', 'another transaction got in the way'],
  ['SQLITE_BUSY_SNAPSHOT', 'locked', 'TARGET is locked by another process'],
  ['SQLITE_CANTOPEN_ISDIR', 'storage', 'TARGET cannot be opened'],
  ['SQLITE_READONLY_DIRECTORY', 'storage', 'nothing can be written beside TARGET'],
  ['SQLITE_READONLY', 'storage', 'TARGET is read-only'],
  ['SQLITE_IOERR_WRITE', 'storage', 'TARGET cannot be read or written (I/O error)'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'other', 'the certificate of TARGET is not trusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'other', 'the certificate of TARGET is not trusted'],
])('%s', (code, fault, message) => {
  expect(databaseFault(failure(code))).toBe(fault)
  expect(explainDatabaseError(failure(code), 'TARGET')?.message).toBe(message)
})

test('the refusals of every address of a host are one', () => {
  const error = new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')], '')
  expect(explainDatabaseError(new Error('Failed query', { cause: error }), 'TARGET')?.message).toBe(
    'nothing answers at TARGET',
  )
})

test('a hot standby takes no purge', () => {
  const error = new Error('cannot set transaction read-write mode during recovery')
  expect(explainDatabaseError(Object.assign(error, { code: '0A000' }), 'TARGET')).toMatchObject({
    message: 'the database is read-only',
    hint: expect.stringContaining('primary'),
  })
})

test('a missing file is not a missing server', () => {
  const error = failure('ENOENT', { syscall: 'open' })
  expect(explainDatabaseError(error, 'TARGET')).toBeUndefined()
  expect(databaseFault(error)).toBe('other')
})

test('what is in words already keeps them', () => {
  const error = new UserError('the archive cannot be written', { cause: failure('53100') })
  expect(explainDatabaseError(error, 'TARGET')).toBeUndefined()
})
