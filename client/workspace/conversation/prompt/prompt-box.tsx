import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { keepDraft, readDraft } from '../../drafts.ts'
import type { Capabilities } from '../capabilities.ts'
import { CommandsList } from './commands-list.tsx'
import { createHistory } from './history.ts'
import { joinDraft } from './outgoing.ts'
import { matchingCommands } from './slash-commands.ts'

/**
 * The field for a prompt. Enter sends it, Shift+Enter starts a new line, the arrow keys step through earlier prompts.
 */
export function PromptBox({ self, session, capabilities, prompts, isBusy, onSend, onUse, active }: PromptBoxProps) {
  const [text, setText] = useState(() => readDraft(session))
  const [chosen, setChosen] = useState(0)
  const [dismissed, setDismissed] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const earlier = useRef(prompts)
  earlier.current = prompts
  const history = useMemo(() => createHistory(() => earlier.current()), [])
  const commands = dismissed ? [] : matchingCommands(text, capabilities.commands)
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

  const send = () => {
    if (!text.trim()) return
    // Before the daemon answers, because further typing belongs to the next prompt.
    write(history.sent())
    onSend(text)
    field.current?.focus()
  }
  useLayoutEffect(() => {
    self.current = {
      restore(prompt) {
        write(joinDraft(prompt, field.current!.value))
        field.current!.focus()
      },
    }
    return () => {
      self.current = null
    }
  })

  const stepInHistory = (older: boolean): boolean => {
    const { selectionStart, selectionEnd, value } = field.current!
    // Only up from the first line and down from the last one; elsewhere the arrow keys move the caret.
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
      // A complete command is sent.
      if (key === 'Enter' && text === `/${commands[at]!.name}`) send()
      else complete(at)
    } else if (commands.length && key === 'Escape') {
      setDismissed(true)
      event.stopPropagation()
    } else if (key === 'Enter' && !event.shiftKey) send()
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
        dir="auto"
        onInput={event => write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="button" class="button primary" disabled={!text.trim()} onClick={send}>
        {isBusy ? 'Queue' : 'Send'}
      </button>
    </div>
  )
}

/** The operations of the box for its owner. */
export interface PromptField {
  /** Puts an unsent prompt back before the current text. */
  restore(prompt: string): void
}

interface PromptBoxProps {
  self: { current: PromptField | null }
  session: string
  capabilities: Capabilities
  /** Oldest first. */
  prompts: () => readonly string[]
  /** A run is active, queued or being sent, so the next prompt has to wait. */
  isBusy: boolean
  onSend: (prompt: string) => void
  /** Called when the user is about to write or to choose a command. */
  onUse: () => void
  active: boolean
}
