declare module 'pgpass' {
  /** https://github.com/hoegaarden/pgpass */
  export default function pgpass(
    connection: { host: string; port: number; database?: string | undefined; user?: string | undefined },
    take: (password: string | undefined) => void,
  ): void
}
