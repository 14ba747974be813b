import type { Peers } from './peers.ts'
import type { Report } from './report.ts'
import type { SiteDatabases } from './site-databases.ts'

/** What one part of the benchmark works with, on one kind of database. */
export interface Bench {
  readonly databases: SiteDatabases
  readonly peers: Peers
  readonly report: Report
  /** The size of the site; some figures are taken at a tenth and a hundredth of it, too. */
  readonly users: number
  /** How often each contender runs. */
  readonly repeat: number
}

/** Measures, and reports figures and goals. */
export type Section = (bench: Bench) => Promise<void>
