import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Mux, RunCancelled, type RunHandle } from '../sdk/index.ts'
import { sdkVersion } from '../sdk/version.ts'
import { type Column, createColumn, sideBySide } from './demo/columns.ts'
import { type DemoDaemon, startDemoDaemon } from './demo/daemon.ts'
import { colorsFor, endWithReader, isTerminal } from './screen/output.ts'
import { usd } from './render/format.ts'
import { createRunView } from './render/run/run-view.ts'
import { oneLine } from './screen/text.ts'

/*
 * A demonstration of fifteen seconds, without an account: three runs, and two clients on one of them. One client
 * cancels the run, and the other sees who did. The demo ends by itself and leaves nothing behind.
 */

const { stdout } = process
const colors = colorsFor(stdout)
const drawn = isTerminal(stdout)
const total = Math.min(stdout.columns || 100, 120)
const width = Math.floor((total - 4) / 2)
const rows = 9
const names = ['ada', 'bob'] as const
const prompts = {
  watched: 'sim:slow delayMs=130 words=300',
  others: ['say hi', 'sim:parallel tools=3 takesMs=900'],
}

const print = (line = '') => void stdout.write(`${line}\n`)

endWithReader()
const ending = new AbortController()
const interrupt = () => ending.abort(new Error('interrupted'))
process.once('SIGINT', interrupt)
process.once('SIGTERM', interrupt)
const timer = setTimeout(() => ending.abort(new Error('this took longer than it should')), 20_000)
let daemon: DemoDaemon | undefined
try {
  print(
    `${colors.bold('muxd')}: a daemon with the ${colors.bold('simulator')} in place of Claude Code: no account, nothing real`,
  )
  daemon = await startDemoDaemon(ending.signal)
  print(colors.dim(`it listens at ${daemon.url}`))
  print()
  await show(daemon, ending.signal)
  howToGoOn()
} catch (error) {
  print()
  print(`demo: ${((ending.signal.reason ?? error) as Error).message}`)
  process.exitCode = 1
} finally {
  clearTimeout(timer)
  await daemon?.close()
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)
}

async function show({ home, directory }: DemoDaemon, signal: AbortSignal): Promise<void> {
  const [ada, bob] = (await Promise.all(
    names.map(name => connect({ home, signal, client: { name, version: sdkVersion } })),
  )) as [Mux, Mux]
  try {
    const watched = await ada.run({ prompt: prompts.watched, cwd: directory })
    const others = await Promise.all(prompts.others.map(prompt => ada.run({ prompt, cwd: directory })))
    print(`ada starts three runs; both watch the first, ${colors.cyan(watched.id)}`)
    print()

    const columns = names.map(() => createColumn(width))
    const screen = startScreen(columns)
    const theirs = bob.attach(watched.id)
    const watching = Promise.all([watch(watched, columns[0]!, screen.draw), watch(theirs, columns[1]!, screen.draw)])
    // Awaited below, unless this function throws before.
    watching.catch(() => {})
    await delay(3_500, undefined, { signal })
    await theirs.cancel('seen enough')
    await watching
    screen.end()

    print()
    const how: unknown = await watched.result({ signal }).catch((error: unknown) => error)
    if (!(how instanceof RunCancelled)) throw how
    print(`ada is told who ended her run: ${colors.yellow(how.message)}`)
    for (const [index, run] of others.entries()) {
      const { response, costUsd } = await run.result({ signal })
      print(
        `${colors.green('✓')} ${colors.cyan(run.id)} ${prompts.others[index]}: ${colors.dim(`${usd(costUsd)} (simulated)`)}`,
      )
      print(`  ${colors.dim(short(response))}`)
    }
    print()
  } finally {
    ada.close()
    bob.close()
  }
}

async function watch(run: RunHandle, column: Column, draw: () => void): Promise<void> {
  const view = createRunView(column, { colors, prompts: false })
  for await (const event of run.events()) {
    view.show(event)
    draw()
  }
}

/**
 * Draws the columns: repeatedly in place on a terminal, otherwise once at the end. On a narrow screen they are stacked.
 */
function startScreen(columns: Column[]) {
  const titles = names.map(name => colors.bold(name))
  const narrow = width < 28
  const frame = () =>
    narrow
      ? columns.flatMap((column, index) => [titles[index]!, ...column.tail(rows)])
      : sideBySide(titles, columns, width, rows)
  let height = 0
  let due = false
  const paint = () => {
    due = false
    const lines = frame()
    stdout.write(`${height ? `\u001b[${height}A\u001b[J` : ''}${lines.map(line => `${line}\n`).join('')}`)
    height = lines.length
  }
  return {
    draw() {
      if (!drawn || narrow || due) return
      due = true
      setImmediate(() => due && paint())
    },
    end: paint,
  }
}

function short(text: string): string {
  const line = oneLine(text)
  return line.length > total - 4 ? `${line.slice(0, total - 5)}…` : line
}

function howToGoOn(): void {
  print('With the real Claude Code (npm install -g @anthropic-ai/claude-code, log in once with claude):')
  print(`  ${colors.bold('npm start')}                                  the daemon; or let the first command start it`)
  print(
    `  ${colors.bold('node dist/muxd.js run "explain this code"')}  from any directory, in as many terminals as you like`,
  )
  print(
    `  ${colors.bold('node dist/muxd.js ls')}                       then attach, cancel, show, wait; --help tells more`,
  )
}
