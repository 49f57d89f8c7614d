import type { Approval } from '../../sdk/browser.ts'
import { harmless, harmlessJson } from '../../text/harmless.ts'
import { shortPath } from '../parts/format.ts'

/** A tool's intended action in readable form. Its texts are harmless: no character hides or reorders others. */
export type Wish =
  | { as: 'command'; command: string; about?: string }
  | { as: 'edit'; path: string; before: string; after: string }
  | { as: 'write'; path: string; content: string }
  | { as: 'plan'; plan: string }
  | { as: 'fields'; fields: [name: string, value: string][] }

type Fields = Record<string, unknown>

export function wishOf({ kind, input }: Pick<Approval, 'kind' | 'input'>): Wish {
  if (typeof input !== 'object' || input === null) return { as: 'fields', fields: [['input', textOf(input)]] }
  const fields = input as Fields
  const { command, file_path: path, old_string: before, new_string: after, content, plan, description } = fields
  if (kind === 'plan' && typeof plan === 'string') return { as: 'plan', plan: harmless(plan) }
  if (typeof command === 'string')
    return {
      as: 'command',
      command: harmless(command),
      ...(typeof description === 'string' && { about: harmless(description) }),
    }
  if (typeof path === 'string' && typeof before === 'string' && typeof after === 'string')
    return { as: 'edit', path: harmless(path), before: harmless(before), after: harmless(after) }
  if (typeof path === 'string' && typeof content === 'string')
    return { as: 'write', path: harmless(path), content: harmless(content) }
  return { as: 'fields', fields: Object.entries(fields).map(([name, value]) => [harmless(name), textOf(value)]) }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? harmless(value) : harmlessJson(JSON.stringify(value, null, 2) ?? '')

export interface Question {
  question: string
  header: string | undefined
  multi: boolean
  options: { label: string; description: string | undefined }[]
}

/** Returns the questions of an `AskUserQuestion`; none if its input has another form. */
export function questionsOf(input: unknown): Question[] {
  const { questions } = (input ?? {}) as { questions?: unknown }
  if (!Array.isArray(questions)) return []
  return questions.flatMap((value): Question[] => {
    const { question, header, multiSelect, options } = (value ?? {}) as Fields
    if (typeof question !== 'string') return []
    const labelled = Array.isArray(options) ? (options as Fields[]) : []
    return [
      {
        question,
        header: typeof header === 'string' ? header : undefined,
        multi: multiSelect === true,
        options: labelled.flatMap(option =>
          typeof option?.['label'] === 'string'
            ? [
                {
                  label: option['label'],
                  description: typeof option['description'] === 'string' ? option['description'] : undefined,
                },
              ]
            : [],
        ),
      },
    ]
  })
}

/** Summarises an approval. A command keeps its line breaks. */
export function summaryOf({ tool, kind, input }: Pick<Approval, 'tool' | 'kind' | 'input'>): string {
  if (kind === 'question') return harmless(questionsOf(input)[0]?.question ?? 'a question')
  if (kind === 'plan') return 'a plan to approve'
  const wish = wishOf({ kind, input })
  if (wish.as === 'command') return `${tool}: ${wish.command}`
  if (wish.as === 'edit' || wish.as === 'write') return `${tool}: ${shortPath(wish.path, 60)}`
  const first = wish.as === 'fields' ? wish.fields[0]?.[1] : undefined
  return first === undefined ? tool : `${tool}: ${first}`
}
