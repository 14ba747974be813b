import type { CampaignReport } from '../mail/campaign-report.ts'
import type { PurgeReport } from '../users/purge/purge-report.ts'
import type { GlobalOptions } from './context.ts'

/** What a command has done; undefined is what it had not to do. */
interface Done {
  readonly mail?: CampaignReport | undefined
  readonly deletion?: PurgeReport | undefined
}

/** True when the report is to be left away: from cron, nothing to say with `--quiet` is nothing to mail. */
export function isNoNews(
  { mail, deletion }: Done,
  { quiet }: GlobalOptions,
  { format }: { readonly format: string },
): boolean {
  return (
    quiet === true &&
    format === 'text' &&
    (!mail || mailedNobody(mail)) &&
    (!deletion || deletedNobody(deletion))
  )
}

function mailedNobody({ sent, bounced, failed, uncertain, changed, stopped }: CampaignReport): boolean {
  return sent + bounced + failed + uncertain + changed === 0 && stopped === undefined
}

function deletedNobody({ deleted, changed, failed, stopped }: PurgeReport): boolean {
  return deleted + changed + failed.length === 0 && stopped === undefined
}
