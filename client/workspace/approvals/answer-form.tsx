import type { Answering } from './answering.ts'
import { Questions } from './questions.tsx'

/** The form to answer an approval. With an observe token it is disabled and says that somebody else has to answer. */
export function AnswerForm({ answering, readOnly }: { answering: Answering; readOnly: boolean }) {
  const { asked, questions, answers, setAnswers, input, setInput, problem, isSending } = answering
  return (
    <>
      {questions.length > 0 && (
        <Questions
          name={asked.approval}
          questions={questions}
          answers={answers}
          disabled={readOnly || isSending}
          onChange={setAnswers}
        />
      )}
      {input !== undefined && (
        <textarea
          class="field mono"
          dir="auto"
          aria-label="The tool's input"
          rows={Math.min(16, input.split('\n').length + 1)}
          value={input}
          onInput={event => setInput(event.currentTarget.value)}
        />
      )}
      {readOnly ? (
        <p class="small dim">This link may only watch: somebody else has to answer.</p>
      ) : (
        <div class="card-answers">
          <AllowButtons answering={answering} />
          <DenyForm answering={answering} />
        </div>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  )
}

const labels = { tool: 'Allow', question: 'Answer', plan: 'Approve' }

/** Allows the tool, allows it for the rest of the session, or opens its input for a change. */
function AllowButtons({ answering }: { answering: Answering }) {
  const { asked, input, setInput, isSending, canAllow, allow } = answering
  const isTool = asked.kind === 'tool'
  const isRememberable =
    isTool && (asked.suggestions?.length ?? 0) > 0 && !asked.suppressAlwaysAllowRule && !asked.requiresUserInteraction
  return (
    <>
      <button
        type="button"
        class={asked.defaultToNo ? 'button' : 'button primary'}
        disabled={!canAllow}
        onClick={() => allow()}
      >
        {labels[asked.kind]}
      </button>
      {isRememberable && (
        <button
          type="button"
          class="button"
          disabled={isSending}
          title={JSON.stringify(asked.suggestions, null, 2)}
          onClick={() => allow({ remember: true })}
        >
          Always in this session
        </button>
      )}
      {isTool && input === undefined && !asked.isCut && (
        <button type="button" class="button plain" onClick={() => setInput(JSON.stringify(asked.input, null, 2) ?? '')}>
          Change input
        </button>
      )}
    </>
  )
}

function DenyForm({ answering: { message, setMessage, isSending, deny } }: { answering: Answering }) {
  return (
    <form
      class="deny"
      onSubmit={event => {
        event.preventDefault()
        deny()
      }}
    >
      <input
        class="field"
        aria-label="Why not, for Claude"
        dir="auto"
        placeholder="Why not (optional)"
        maxLength={2_000}
        value={message}
        onInput={event => setMessage(event.currentTarget.value)}
      />
      <button type="submit" class="button danger" disabled={isSending}>
        Deny
      </button>
    </form>
  )
}
