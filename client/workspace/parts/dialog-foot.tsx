import type { ComponentChildren } from 'preact'

/** What ends the form of a dialog: what went wrong, a way out, and what sends it. */
export function DialogFoot({ problem, onClose, children }: DialogFootProps) {
  return (
    <>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        {children}
      </footer>
    </>
  )
}

interface DialogFootProps {
  /** Empty where there is none. */
  problem: string
  onClose(): void
  children: ComponentChildren
}
