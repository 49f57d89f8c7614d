/**
 * Returns the name of a parameter for messages: `cwd` for `/create/cwd`, `approvals.rules[1]` for `/approvals/rules/1`.
 */
export function paramName(pointer: string): string {
  const steps = pointer.split('/').slice(1)
  // Names that only group parameters in a call mean nothing to the person who gives them.
  while (steps.length > 1 && (steps[0] === 'create' || steps[0] === 'options')) steps.shift()
  return steps
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('')
}
