/** A table whose rows the database deletes with their users. */
export const NOTE =
  'create table note (id {key}, user_id integer references auth_user (id) on delete cascade, text text);'

/** To purge with the rule that says the same. */
export const NOTES = { rules: { cascade: ['note'] } }
