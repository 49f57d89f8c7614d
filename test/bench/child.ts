import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'

/** A program of the benchmark in its own process. It answers one command after the other. */
export interface Child<Command> {
  readonly pid: number
  /** Rejects when the program ends instead of answering. */
  ask<Answer>(command: Command): Promise<Answer>
  /** Disconnects from the program and waits for its end. It may clean up first (`serveParent`). */
  close(): Promise<void>
}

export function startChild<Command extends Serializable>(program: string, args: string[] = []): Child<Command> {
  const execArgv = program.endsWith('.ts') ? ['--import', 'tsx'] : []
  const child = fork(program, args, { serialization: 'advanced', execArgv })
  const ended = once(child, 'exit')
  return {
    pid: child.pid!,
    ask: command => ask(child, command),
    async close() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function ask<Answer>(child: ChildProcess, command: Serializable): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: Answer) => {
      child.off('exit', onExit)
      resolve(answer)
    }
    const onExit = () => {
      child.off('message', onMessage)
      reject(new Error(`${child.spawnargs.at(1)} ended instead of answering`))
    }
    child.once('message', onMessage).once('exit', onExit)
    child.send(command)
  })
}

/** The child's side: answers commands. When the parent disconnects, it runs `close` and exits. */
export function serveParent<Command>(
  answer: (command: Command) => Promise<Serializable>,
  close = async () => {},
): void {
  process.on('message', (command: Command) => {
    void answer(command).then(result => process.send!(result))
  })
  process.on('disconnect', () => void close().then(() => process.exit()))
  // Ctrl-C in a terminal reaches all processes at once. This one ends with its parent.
  process.on('SIGINT', () => {})
}
