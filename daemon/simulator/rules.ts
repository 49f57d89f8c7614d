/** Permission rules of `apply_flag_settings`: names of tools alone. A rule with a pattern decides nothing here. */
export interface Rules {
  allow: ReadonlySet<string>
  ask: ReadonlySet<string>
  deny: ReadonlySet<string>
}

export const noRules: Rules = { allow: new Set(), ask: new Set(), deny: new Set() }

/** A request replaces what the one before it gave. */
export function rulesIn(settings: unknown): Rules {
  const { permissions } = (settings ?? {}) as { permissions?: Partial<Record<keyof Rules, unknown>> }
  const named = (decision: keyof Rules) => {
    const list = permissions?.[decision]
    return new Set(Array.isArray(list) ? list.filter(rule => typeof rule === 'string') : [])
  }
  return { allow: named('allow'), ask: named('ask'), deny: named('deny') }
}
