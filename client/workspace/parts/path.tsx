/** Shows a path. Without enough room, the directories are cut and the last part stays. */
export function Path({ of, class: className = '' }: { of: string; class?: string }) {
  const at = of.replace(/\/+$/, '').lastIndexOf('/') + 1
  return (
    <span class={`path ${className}`} title={of}>
      {at > 0 && <span class="path-directories">{of.slice(0, at)}</span>}
      <span class="path-name">{of.slice(at)}</span>
    </span>
  )
}
