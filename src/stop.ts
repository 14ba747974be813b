/** What has stopped work before its end: a signal, or an error, thrown when the report of what was done is out. */
export type Stop = 'interrupted' | { readonly error: unknown }
