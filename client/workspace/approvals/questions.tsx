import type { Question } from './approval-input.ts'
import { harmless } from '../../text/harmless.ts'

/** The chosen label or the user's own words, by the text of the question; a list if several are allowed. */
export type Answers = Record<string, string | string[]>

export function Questions({
  name,
  questions,
  answers,
  disabled,
  onChange,
}: {
  /** Unique on the page. */
  name: string
  questions: readonly Question[]
  answers: Answers
  disabled: boolean
  onChange(answers: Answers): void
}) {
  return (
    <div class="question-text" tabIndex={disabled ? 0 : undefined}>
      {questions.map(({ question, header, multi, options }, index) => {
        const given = answers[question]
        const chosen = Array.isArray(given) ? given : given === undefined ? [] : [given]
        const own = chosen.find(value => !options.some(({ label }) => label === value)) ?? ''
        const set = (values: string[]) => onChange({ ...answers, [question]: multi ? values : (values.at(-1) ?? '') })
        const toggle = (label: string) =>
          set(multi ? (chosen.includes(label) ? chosen.filter(value => value !== label) : [...chosen, label]) : [label])
        return (
          <fieldset key={question} class="question" disabled={disabled}>
            <legend dir="auto">
              {header && <span class="chip">{harmless(header)}</span>} {harmless(question)}
            </legend>
            {options.map(({ label, description }) => (
              <label key={label} class="option">
                <input
                  type={multi ? 'checkbox' : 'radio'}
                  name={`${name}-${index}`}
                  checked={chosen.includes(label)}
                  onChange={() => toggle(label)}
                />
                <span dir="auto">
                  {harmless(label)}
                  {description && <span class="small dim"> {harmless(description)}</span>}
                </span>
              </label>
            ))}
            <input
              class="field"
              aria-label={`Another answer to: ${question}`}
              placeholder="Something else"
              dir="auto"
              value={own}
              onInput={event => {
                const words = event.currentTarget.value
                const labels = multi ? chosen.filter(value => value !== own) : []
                set(words ? [...labels, words] : labels)
              }}
            />
          </fieldset>
        )
      })}
    </div>
  )
}
