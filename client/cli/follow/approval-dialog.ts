import type { Approval } from '../../sdk/index.ts'
import { type Asked, type Question, questionsOf } from '../render/approval.ts'
import { fit, oneLine } from '../screen/text.ts'

/** The params of `approval.answer`, without the approval's id. */
export type GivenAnswer =
  | { decision: 'allow'; remember?: true; answers?: Record<string, string | string[]> }
  | { decision: 'deny'; message?: string }

/** Reads one line from the person. Resolves with undefined if there will be no line. */
export type AskLine = (prompt: string) => Promise<string | undefined>

/**
 * Asks a person until they type one of the expected answers. Other input (`ok`, an empty line) neither allows nor
 * denies. If Claude Code wants No as the default, an empty line denies and only the whole word `yes` allows. Resolves
 * with undefined if the person left.
 */
export async function askPerson(asked: Asked, ask: AskLine): Promise<GivenAnswer | undefined> {
  if (asked.kind === 'question') return askQuestions(questionsOf(asked.input), ask)
  const isNo = asked.defaultToNo === true
  const mayRemember = (asked.suggestions?.length ?? 0) > 0 && !asked.suppressAlwaysAllowRule
  const isPlan = asked.kind === 'plan'
  const keys = isNo ? 'yes (in full), N' : 'y, n'
  const always = mayRemember ? (isNo ? ', always' : ', a (always)') : ''
  const choices = isPlan ? `${keys}, n CHANGES: ` : `${keys}, n REASON${always}: `
  let prompt = `${isPlan ? 'Go on with it?' : 'Allow it?'} ${choices}`
  for (;;) {
    const said = await ask(prompt)
    if (said === undefined) return undefined
    const text = said.trim()
    if (isNo && text === '') return { decision: 'deny' }
    if (isNo ? /^yes$/i.test(text) : /^y(?:es)?$/i.test(text)) return { decision: 'allow' }
    if (/^no?$/i.test(text)) return { decision: 'deny' }
    if (mayRemember && asked.kind === 'tool' && (isNo ? /^always$/i : /^a(?:lways)?$/i).test(text))
      return { decision: 'allow', remember: true }
    const [, message] = /^(?:n[\s,:.;-]+|no\s*[,:.;-]\s*)(.+)$/is.exec(text) ?? []
    if (message !== undefined) return { decision: 'deny', message }
    prompt = text === '' ? prompt : `"${fit(oneLine(text), 20)}" is no answer: ${choices}`
  }
}

async function askQuestions(questions: readonly Question[], ask: AskLine): Promise<GivenAnswer | undefined> {
  const answers: Record<string, string | string[]> = {}
  for (const each of questions) {
    const choice = await askQuestion(each, questions.length > 1, ask)
    if (choice === undefined) return undefined
    if (choice === 'none') return { decision: 'deny' }
    answers[each.question] = choice.chosen
  }
  return questions.length > 0 ? { decision: 'allow', answers } : { decision: 'deny' }
}

async function askQuestion({ question, options, multiSelect }: Question, isOneOfMany: boolean, ask: AskLine) {
  const numbers = options.length > 0 ? `1-${options.length}${multiSelect ? ' (1,2: several)' : ''}, ` : ''
  const about = isOneOfMany ? `${oneLine(question)} ` : ''
  for (;;) {
    const said = await ask(`${about}${numbers}your own words, or n (no answer): `)
    if (said === undefined) return undefined
    const text = said.trim()
    if (text === '') continue
    if (/^no?$/i.test(text)) return 'none' as const
    if (!/^\d+(?:[\s,]+\d+)*$/.test(text)) return { chosen: text }
    const labels = [...new Set(text.split(/[\s,]+/))].map(number => options[Number(number) - 1]?.label)
    const chosen = labels.filter(label => label !== undefined)
    if (chosen.length < labels.length || (chosen.length > 1 && !multiSelect)) continue
    return { chosen: multiSelect ? chosen : chosen[0]! }
  }
}

/** Returns the commands that answer the question, one in each line. */
export function howToAnswer({ approval, kind, input }: Pick<Approval, 'approval' | 'kind' | 'input'>): string[] {
  const [first] = questionsOf(input)
  const option = first?.options[0]?.label ?? '…'
  const answer = kind === 'question' && first ? ` --answer ${quoted(`1=${option}`)}` : ''
  return [`muxd approve ${approval}${answer}`, `muxd deny ${approval} -m "why"`]
}

/** Quotes any text of a model for a shell. */
const quoted = (text: string) => `'${oneLine(text).replaceAll("'", `'\\''`)}'`
