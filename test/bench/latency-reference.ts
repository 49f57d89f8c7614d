// The reference of the latency benchmark: the chain of the daemon (the same pty-host, lines and translator) without
// store and batching. It sends each event to each subscriber at once, with one `ws.send(JSON.stringify(event))` each.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { commandLine } from '../../daemon/agents/claude/launch/command-line.ts'
import { initializeLine, userLine } from '../../daemon/agents/claude/control.ts'
import { claudeEnvironment } from '../../daemon/agents/claude/launch/environment.ts'
import { claude } from '../../daemon/agents/claude/agent.ts'
import { createOutputReader } from '../../daemon/pty-host/output.ts'
import { createTranslator } from '../claude-output/support/translator.ts'
import type { HeldProcess } from '../../daemon/pty-host/pty-host.ts'
import { createInProcessPtyHost } from '../../daemon/pty-host/in-process.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import { serveParent } from './child.ts'

export type ReferenceCommand =
  /** Answered with `{ url }`. */
  | { do: 'start'; dir: string; source: string; sessions: number }
  /** Sends the prompt to each session. Answered when all sessions have it. */
  | { do: 'run'; prompt: string }

const sockets = new Set<WebSocket>()
const processes: HeldProcess[] = []
let ptyHost: ReturnType<typeof createInProcessPtyHost> | undefined

async function perform(command: ReferenceCommand): Promise<object> {
  if (command.do === 'start') return start(command)
  await Promise.all(processes.map(process => process.writeLine(userLine(randomUUID(), command.prompt))))
  return {}
}

async function start({ dir, source, sessions }: ReferenceCommand & { do: 'start' }): Promise<{ url: string }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server, 'listening')
  ptyHost = createInProcessPtyHost({ dir })
  for (let index = 0; index < sessions; index++) processes.push(await startSession(ptyHost, dir, source, `p_${index}`))
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function startSession(
  { start: startProcess }: ReturnType<typeof createInProcessPtyHost>,
  dir: string,
  source: string,
  id: string,
): Promise<HeldProcess> {
  const nonce = randomUUID().replaceAll('-', '')
  const command = commandLine({ path: source, conversation: { start: randomUUID() }, options: {} })
  const held = await startProcess({ id, nonce, command, cwd: dir, env: claudeEnvironment(process.env, {}, dir) })
  const output = createOutputReader(openRawLog(dir, id), nonce, claude)
  const translator = createTranslator()
  let seq = 0
  held.onGrow(() => {
    for (let read = output.read(); read; read = output.read()) {
      for (const line of read.lines) {
        if (!('frame' in line)) continue
        for (const body of translator.frame(line.frame, line.time)) {
          seq += 1
          const event = { seq, time: line.time, run: id, ...body }
          for (const socket of sockets) socket.send(JSON.stringify(event))
        }
      }
    }
  })
  await held.writeLine(initializeLine('init'))
  return held
}

serveParent(perform, async () => ptyHost?.close())
