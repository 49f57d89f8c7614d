import type { ComponentChildren } from 'preact'

/** The end of the form in a dialog: the problem, a Cancel button, and the submit button as `children`. */
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
  /** Empty if there is none. */
  problem: string
  onClose(): void
  children: ComponentChildren
}
