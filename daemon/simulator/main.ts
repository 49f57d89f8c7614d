import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArguments, isUuid, UsageError, type Arguments } from './arguments.ts'
import { BrokenInput, startConversation, type Conversation } from './conversation.ts'
import { version } from './frames.ts'
import { readAll, readLines } from './input.ts'
import { createOutput, type Output } from './output.ts'
import { unknownSessionResult } from './result.ts'
import { helpText } from './scripts/index.ts'
import { createSession, print, type Session } from './session.ts'
import { loadTranscript } from './transcript.ts'

/** A stand-in for the `claude` command: docs/simulator.md. It exits as `claude` does. */
async function main(): Promise<void> {
  const args = parseOrExit(process.argv.slice(2))
  const output = createOutput(process.stdout, () => process.exit(1))
  if (args.version) return exit(output, 0, `${version} (Claude Code stand-in: muxd simulator)\n`)
  if (args.help) return exit(output, 0, helpText())
  const prompt = args.inputFormat === 'text' ? (args.prompt ?? (await readAll(process.stdin))) : args.prompt
  if (args.inputFormat === 'text' && prompt === '')
    return fail('Error: Input must be provided either through stdin or as a prompt argument when using --print')
  const session = openSession(args, output)
  const conversation = startConversation(session)
  obeySignals(session, conversation)
  if (prompt) conversation.onPrompt(prompt)
  if (args.inputFormat === 'text') conversation.onEnd()
  else readInput(conversation, output)
  await exit(output, await conversation.over)
}

function parseOrExit(argv: string[]): Arguments {
  try {
    return parseArguments(argv)
  } catch (error) {
    if (error instanceof UsageError) return fail(error.message)
    throw error
  }
}

function openSession(args: Arguments, output: Output): Session {
  const { resume, sessionId } = args
  if (sessionId !== undefined && loadTranscript(sessionId))
    return fail(`Error: Session ID ${sessionId} is already in use.`)
  const id = sessionId ?? (resume !== undefined && !args.forkSession ? resume : randomUUID())
  const problem = resume === undefined ? undefined : problemOf(resume, args.resumeSessionAt)
  if (problem !== undefined) {
    const session = createSession(args, output, id, undefined)
    print(session, unknownSessionResult(isUuid(resume!) ? id : randomUUID(), randomUUID(), problem))
    complain(problem)
    void exit(output, 1)
    // `exit` ends the process once the frame is out; nothing else may run meanwhile.
    throw new Ending()
  }
  return createSession(args, output, id, resume)
}

/** Returns why a conversation cannot be resumed, in the words of Claude Code; undefined if it can. */
function problemOf(resume: string, at: string | undefined): string | undefined {
  if (!isUuid(resume))
    return `Error: --resume requires a valid session ID or session title when used with --print. Usage: claude -p --resume <session-id|title>. Provided value "${resume}" is not a UUID and does not match any session title.`
  const entries = loadTranscript(resume)
  if (!entries) return `No conversation found with session ID: ${resume}`
  const isThere = at === undefined || entries.some(entry => entry.type !== 'cost-state' && entry.uuid === at)
  return isThere ? undefined : `No message found with message.uuid of: ${at}`
}

class Ending extends Error {}

function readInput(conversation: Conversation, output: Output): void {
  readLines(process.stdin, {
    onLine(line) {
      try {
        conversation.onLine(line)
      } catch (error) {
        if (!(error instanceof BrokenInput)) throw error
        complain(error.message)
        void exit(output, 1)
      }
    },
    onEnd: () => conversation.onEnd(),
  })
}

function obeySignals({ output, deafTo }: Session, conversation: Conversation): void {
  process.on('SIGINT', () => {
    if (deafTo.has('int')) return
    void Promise.resolve(conversation.stop('signal')).then(() => exit(output, 0))
  })
  process.on('SIGTERM', () => void (deafTo.has('term') || exitSoon(output, 143)))
  process.on('SIGHUP', () => void (deafTo.has('hup') || exitSoon(output, 129)))
}

const readerPatienceMs = 1000

// A reader that has stopped reading must not keep a process alive that was told to end.
function exitSoon(output: Output, code: number): void {
  void sleep(readerPatienceMs).then(() => process.exit(code))
  void exit(output, code)
}

const showCursor = '\u001b[?25h'

/** Ends the process once everything printed has been handed to the kernel. */
async function exit(output: Output, code: number, last = ''): Promise<void> {
  output.write(last || (process.stdout.isTTY ? showCursor : ''))
  await output.drained()
  process.exit(code)
}

// Synchronous: the process ends right after it.
const complain = (message: string) => writeSync(2, `${message}\n`)

function fail(message: string): never {
  complain(message)
  process.exit(1)
}

main().catch((error: unknown) => {
  if (error instanceof Ending) return
  fail(`Error: the simulator gave up: ${String((error as Error).stack ?? error)}`)
})
