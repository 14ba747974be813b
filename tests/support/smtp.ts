import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { onTestFinished } from 'vitest'

/** A line such as `550 5.1.1 no such user`; or the connection is cut; or there is none, ever. Undefined accepts. */
type Reply = string | 'cut' | 'silence' | undefined

/** What the server answers; `attempt` counts from 1 for each recipient. */
export interface Script {
  readonly recipient?: (address: string, attempt: number) => Reply
  /** When all of the message is there. */
  readonly message?: (address: string, attempt: number) => Reply
  /** When the first of the message is there. */
  readonly begun?: (address: string, attempt: number) => Reply
}

export interface MailServer {
  readonly port: number
  /** Each mail that the server has read to its end and not refused, whether or not it said so. */
  readonly mails: { readonly recipient: string; readonly source: Buffer }[]
  /** How often each recipient was named. */
  readonly attempts: Map<string, number>
  /** Of everybody who logged in, `user:password`. */
  readonly logins: string[]
  /** `encrypted`: with STARTTLS. */
  readonly connections: { now: number; most: number; encrypted: number }
  close(): Promise<void>
}

/** Returns a real mail server on 127.0.0.1, in the clear unless the options say otherwise; it ends with the test. */
export async function startMailServer(
  script: Script = {},
  options: SMTPServerOptions = {},
): Promise<MailServer> {
  const mails: MailServer['mails'] = []
  const attempts = new Map<string, number>()
  const sockets = new Map<number, Socket>()
  const logins: string[] = []
  const connections = { now: 0, most: 0, encrypted: 0 }
  async function answer(reply: Reply, port: number, done: (error?: Error | null) => void) {
    if (reply === 'silence') return
    if (reply === 'cut') sockets.get(port)?.destroy()
    else if (reply === undefined) done()
    else done(Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) }))
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 10,
    logger: false,
    onAuth({ username, password }, _session, done) {
      logins.push(`${username}:${password}`)
      done(null, { user: username })
    },
    onSecure(_socket, _session, done) {
      connections.encrypted += 1
      done()
    },
    onRcptTo({ address }, session, done) {
      const attempt = (attempts.get(address) ?? 0) + 1
      attempts.set(address, attempt)
      answer(script.recipient?.(address, attempt), session.remotePort, done)
    },
    async onData(stream, session, done) {
      const recipient = session.envelope.rcptTo[0]?.address ?? ''
      const attempt = attempts.get(recipient) ?? 0
      const early = script.begun?.(recipient, attempt)
      if (early !== undefined) {
        await once(stream, 'readable')
        return answer(early, session.remotePort, done)
      }
      const source = await buffer(stream).catch(() => undefined)
      // The client has gone in the middle of it.
      if (source === undefined) return
      const reply = script.message?.(recipient, attempt)
      if (reply === undefined || reply === 'cut' || reply === 'silence') mails.push({ recipient, source })
      answer(reply, session.remotePort, done)
    },
    ...options,
  })
  // A connection that we cut, or that was not encrypted as it should.
  server.on('error', () => {})
  server.server.on('connection', (socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    connections.now += 1
    connections.most = Math.max(connections.most, connections.now)
    socket.on('close', () => {
      connections.now -= 1
      sockets.delete(remotePort)
    })
  })
  const close = () => new Promise<void>((resolve) => server.close(resolve))
  onTestFinished(close)
  return { port: await listen(server.server), mails, attempts, logins, connections, close }
}

/** Returns the port of something that is no mail server; it ends with the test. */
export async function startListener(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return listen(server)
}

/** Returns a port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
