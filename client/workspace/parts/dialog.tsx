import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * A modal dialog based on `<dialog>`, which keeps the focus inside. Calls `onClose` on Escape and on a click outside;
 * the owner then stops rendering it. When it closes, the focus returns to the element that had it before.
 */
export function Dialog({
  label,
  class: className = '',
  onClose,
  children,
}: {
  label: string
  class?: string
  onClose(): void
  children: ComponentChildren
}) {
  const ref = useRef<HTMLDialogElement>(null)
  // Before the next key press, which belongs to the dialog.
  useLayoutEffect(() => {
    const dialog = ref.current!
    const before = document.activeElement
    dialog.showModal()
    return () => {
      dialog.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={ref}
      class={`dialog ${className}`}
      aria-label={label}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      onMouseDown={event => {
        if (event.target === event.currentTarget) onClose()
      }}
    >
      {children}
    </dialog>
  )
}
