import { Socket } from 'node:net'

/**
 * Returns what gives pg its sockets, and destroys them: a connection that failed halfway (no password to give) stays
 * open in pg, and would keep the process alive.
 */
export function trackedSockets() {
  const open = new Set<Socket>()
  return {
    next() {
      const socket = new Socket()
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      return socket
    },
    destroyAll() {
      for (const socket of open) socket.destroy()
    },
  }
}
