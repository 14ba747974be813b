/** Rules for dependents as the administrator writes them. */
export interface RuleSettings {
  /** `TABLE`, `TABLE.COLUMN` or `*`: delete these rows with the account. */
  readonly cascade?: readonly string[] | undefined
  /** `TABLE.COLUMN`: keep these rows and set the column to NULL. */
  readonly setNull?: readonly string[] | undefined
  /** `TABLE` or `TABLE.COLUMN`: keep whoever these rows point at. */
  readonly keep?: readonly string[] | undefined
}
