import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  /** The URL, by way of the proxy. */
  readonly url: string
  /** Breaks all connections that are open. */
  cut(): void
  close(): Promise<void>
}

/** Starts a proxy in front of the server of this URL. */
export async function startProxy(server: string): Promise<Proxy> {
  const url = new URL(server)
  const target = { host: url.hostname, port: Number(url.port) }
  const sockets = new Set<Socket>()
  const proxy = createServer((incoming) => {
    const outgoing = connect(target)
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: url.href,
    cut,
    async close() {
      cut()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
