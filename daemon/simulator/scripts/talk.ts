import { randomUUID } from 'node:crypto'
import { systemFrame } from '../frames.ts'
import { numberOption } from '../prompt.ts'
import type { Scripts } from '../script.ts'
import { print, promptsIn } from '../session.ts'
import { endWith, text, thinking, tools } from '../steps.ts'
import { listFiles } from './tools.ts'

const lorem =
  'The simulated answer goes on, word after word, so that there is something to watch, to scroll and to cancel.'

/** Scripts that mostly talk. */
export const talk: Scripts = {
  default: {
    about: 'Any other prompt: a short friendly answer that quotes it, with thinking, one tool and text.',
    async *play({ call }) {
      yield thinking('A prompt has arrived. I am a simulator, so I will look around a little and then say so.', 25)
      yield text('Let me have a look. (This is the muxd simulator; no model is answering.)')
      yield tools(listFiles())
      const quoted = call.text.length > 200 ? `${call.text.slice(0, 200)}…` : call.text
      yield text(
        `You said: “${quoted}”. This answer is simulated: nothing was read, run or changed. With Claude Code installed, muxd would show its answer here in the same way.`,
      )
    },
  },
  text: {
    about: 'One message of text: yours, or a standard one.',
    options: 'delayMs=45 [text]',
    async *play({ call }) {
      yield text(call.text || 'Hello from the muxd simulator. This text is simulated.', delay(call))
    },
  },
  thinking: {
    about: 'Thinking, then text.',
    options: 'delayMs=45',
    async *play({ call }) {
      yield thinking('Let me pretend to think about this step by step. First one thing, then another.', delay(call))
      yield text('Done with the simulated thinking; the answer is 42.', delay(call))
    },
  },
  long: {
    about: 'A long text, in several paragraphs.',
    options: 'words=400 delayMs=20',
    async *play({ call }) {
      yield text(longText(numberOption(call, 'words', 400)), numberOption(call, 'delayMs', 20))
    },
  },
  slow: {
    about: 'Text that takes its time: a word each half second, for trying out cancel.',
    options: 'words=120 delayMs=500',
    async *play({ call }) {
      yield text(longText(numberOption(call, 'words', 120)), numberOption(call, 'delayMs', 500))
    },
  },
  history: {
    about: 'Says the earlier prompts of the session, also those from before a resume.',
    async *play({ session }) {
      const earlier = promptsIn(session.entries).slice(0, -1)
      const list = earlier.map((prompt, index) => `${index + 1}. ${prompt}`).join('\n')
      yield text(earlier.length === 0 ? 'There are no earlier prompts (simulated).' : `Earlier prompts:\n${list}`, 0)
    },
  },
  clear: {
    apart: true,
    about: 'What the prompt `/clear` does: a new conversation under a new session id, in the same process.',
    before({ session, uuids }) {
      const conversation = randomUUID()
      print(session, {
        type: 'conversation_reset',
        new_conversation_id: conversation,
        uuid: conversation,
        trigger: 'clear',
        ...(uuids.length > 0 && { user_message_uuid: uuids[0] }),
        timestamp: new Date().toISOString(),
        session_id: session.id,
      })
      print(session, systemFrame(session, 'background_tasks_changed', { tasks: [] }))
      session.id = randomUUID()
      session.entries = []
      session.models = new Map()
      session.costBefore = 0
      session.contextTokens = 0
    },
    async *play() {
      yield endWith({ is_error: false, num_turns: 0, subtype: 'success', result: '', local_command: 'clear' })
    },
  },
}

const delay = (call: Parameters<typeof numberOption>[0]) => numberOption(call, 'delayMs', 45)

function longText(count: number): string {
  const all = lorem.split(' ')
  const said = Array.from({ length: count }, (_, index) => all[index % all.length]!)
  const paragraphs: string[] = []
  for (let from = 0; from < count; from += 60) paragraphs.push(said.slice(from, from + 60).join(' '))
  return paragraphs.join('\n\n')
}
