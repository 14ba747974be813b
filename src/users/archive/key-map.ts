import type { Cell } from '../../db/dialect.ts'

const INTEGER = /^-?\d{1,15}$/

/**
 * Values by key, found as a database may find a row by it: by exactly this key, or else by one that differs in case or
 * in spaces at its end only (NOCASE, citext, char(n)), or is the same number as text (SQLite).
 */
export class KeyMap<T> {
  private readonly values = new Map<string, T>()
  private readonly loose = new Map<string, T>()

  get(key: readonly Cell[]): T | undefined {
    const text = JSON.stringify(key)
    const exact = this.values.get(text)
    if (exact !== undefined) return exact
    const loosened = looseText(text)
    return this.loose.get(loosened) ?? this.values.get(loosened) ?? this.values.get(swappedText(key))
  }

  /** Returns the value by exactly this key. */
  getExact(key: readonly Cell[]): T | undefined {
    return this.values.get(JSON.stringify(key))
  }

  set(key: readonly Cell[], value: T): void {
    const text = JSON.stringify(key)
    this.values.set(text, value)
    const loosened = looseText(text)
    if (loosened !== text) this.loose.set(loosened, value)
  }
}

/** Returns a text that is the same for keys which a database may take for one. */
export function looseKey(key: readonly Cell[]): string {
  return looseText(JSON.stringify(key.map((cell) => (typeof cell === 'number' ? String(cell) : cell))))
}

/** Numbers as text, and the other way round. */
function swappedText(key: readonly Cell[]): string {
  const swapped = key.map((cell) => {
    if (typeof cell === 'number') return String(cell)
    return typeof cell === 'string' && INTEGER.test(cell) ? Number(cell) : cell
  })
  return JSON.stringify(swapped)
}

function looseText(json: string): string {
  return json.toLowerCase().replace(/ +"/g, '"')
}
