import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { attach, PtyHostGone, PtyHostRefused } from '../../daemon/pty-host/attachment.ts'
import { tempDir } from '../support/temp-dir.ts'

it('attach rejects with PtyHostRefused if a pty-host accepts the connection and never answers', async () => {
  const path = join(tempDir(), 'holder.sock')
  const sockets: Socket[] = []
  const server = createServer(socket => void sockets.push(socket.resume())).listen(path)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  const attaching = attach(path, '1.0.0', 50)
  await expect(attaching).rejects.toThrow(PtyHostRefused)
  await expect(attaching).rejects.toThrow(/has not answered within 0.05 s: it is stopped or hangs/)
})

it('attach rejects with PtyHostGone if nothing listens', async () => {
  await expect(attach(join(tempDir(), 'holder.sock'), '1.0.0')).rejects.toThrow(PtyHostGone)
})
