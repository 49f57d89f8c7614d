import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Abilities } from '../abilities.ts'
import { CommandsList } from './commands-list.tsx'
import { keepDraft, readDraft } from './drafts.ts'
import { createHistory } from './history.ts'
import { matchingCommands } from './slash-commands.ts'

/** Where a prompt is written. Enter sends it, Shift+Enter begins a line; the arrows go through earlier ones. */
export function PromptBox({ session, abilities, prompts, isBusy, onSend, onUse, active }: PromptBoxProps) {
  const [text, setText] = useState(() => readDraft(session))
  const [chosen, setChosen] = useState(0)
  const [dismissed, setDismissed] = useState(false)
  const [isSending, setSending] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const earlier = useRef(prompts)
  earlier.current = prompts
  const history = useMemo(() => createHistory(() => earlier.current()), [])
  const commands = dismissed ? [] : matchingCommands(text, abilities.commands)
  const at = Math.min(chosen, commands.length - 1)

  useLayoutEffect(() => {
    const { style } = field.current!
    style.height = 'auto'
    style.height = `${field.current!.scrollHeight + 2}px`
  }, [text])
  useEffect(() => {
    if (active) onUse()
  }, [active])

  const write = (next: string) => {
    setText(next)
    keepDraft(session, next)
    setChosen(0)
    setDismissed(false)
    if (next.startsWith('/')) onUse()
  }
  const complete = (index: number) => write(`/${commands[index]!.name} `)

  const send = async () => {
    if (!text.trim() || isSending) return
    setSending(true)
    try {
      if (await onSend(text)) {
        write('')
        history.reset()
      }
    } finally {
      setSending(false)
      field.current?.focus()
    }
  }

  const stepInHistory = (older: boolean): boolean => {
    const { selectionStart, selectionEnd, value } = field.current!
    // Only from the first line up and from the last one down: between them the arrows move the caret.
    const beside = older ? value.slice(0, selectionStart) : value.slice(selectionEnd)
    if (beside.includes('\n')) return false
    const next = history.step(older, value)
    if (next === undefined) return false
    setText(next)
    setDismissed(true)
    return true
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
    const { key } = event
    const isUp = key === 'ArrowUp'
    if (commands.length && (isUp || key === 'ArrowDown'))
      setChosen((at + (isUp ? commands.length - 1 : 1)) % commands.length)
    else if (commands.length && (key === 'Tab' || key === 'Enter') && !event.shiftKey) {
      // One that is whole already is sent.
      if (key === 'Enter' && text === `/${commands[at]!.name}`) void send()
      else complete(at)
    } else if (commands.length && key === 'Escape') {
      setDismissed(true)
      event.stopPropagation()
    } else if (key === 'Enter' && !event.shiftKey) void send()
    else if ((isUp || key === 'ArrowDown') && !event.shiftKey) {
      if (!stepInHistory(isUp)) return
    } else return
    event.preventDefault()
  }

  return (
    <div class="prompt-box">
      {commands.length > 0 && <CommandsList id={id} commands={commands} chosen={at} onChoose={complete} />}
      <textarea
        ref={field}
        rows={1}
        class="field"
        aria-label="Prompt"
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={commands.length > 0 ? id : undefined}
        aria-activedescendant={commands.length > 0 ? `${id}-${at}` : undefined}
        placeholder={isBusy ? 'Queue a prompt' : 'Ask Claude, or / for commands'}
        data-autofocus
        value={text}
        onFocus={onUse}
        onInput={event => {
          history.reset()
          write(event.currentTarget.value)
        }}
        onKeyDown={onKeyDown}
      />
      <button type="button" class="button primary" disabled={!text.trim() || isSending} onClick={() => void send()}>
        {isBusy ? 'Queue' : 'Send'}
      </button>
    </div>
  )
}

interface PromptBoxProps {
  session: string
  abilities: Abilities
  /** Oldest first. */
  prompts: () => readonly string[]
  /** A run goes on: what is sent waits for it. */
  isBusy: boolean
  /** Whether it was taken. */
  onSend: (prompt: string) => Promise<boolean>
  /** Somebody is about to write, or to choose a command. */
  onUse: () => void
  active: boolean
}
