/** How text for people is set off; on a plain output, not at all. */
export interface Style {
  heading(text: string): string
  warning(text: string): string
}

export const PLAIN: Style = { heading: (text) => text, warning: (text) => text }
