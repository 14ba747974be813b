import { shownNumber } from '../../values/numbers.ts'

/** How far something is; a total of 0 is unknown. */
export interface Advance {
  readonly done: number
  readonly total: number
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const BAR = 16

/** Returns `deleting: 1,200 of 5,000 (24%), 400/s, 9 s left`; without a total only how long it has taken. */
export function progressLine(what: string, { done, total }: Advance, seconds: number): string {
  if (total === 0) return `${what}: ${shownSeconds(seconds)}`
  const rate = seconds > 0 ? done / seconds : 0
  const left = rate > 0 ? `, ${perSecond(rate)}/s, ${shownSeconds((total - done) / rate)} left` : ''
  return `${what}: ${shownNumber(done)} of ${shownNumber(total)} (${Math.floor((done / total) * 100)}%)${left}`
}

/** Returns the line with a bar before it; a turning wheel without a total. */
export function progressBar(what: string, advance: Advance, seconds: number): string {
  const { done, total } = advance
  const line = progressLine(what, advance, seconds)
  if (total === 0) return `${FRAMES[Math.floor(seconds * 10) % FRAMES.length]} ${line}`
  const full = Math.min(BAR, Math.round((done / total) * BAR))
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${line}`
}

function perSecond(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : shownNumber(Math.round(rate))
}

/** Returns `40 s`, `12 min`, `3.5 h`. */
export function shownSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 90) return `${whole} s`
  return whole < 90 * 60 ? `${Math.round(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`
}
