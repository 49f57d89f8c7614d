/** Permission rules of `apply_flag_settings`: names of tools only. A rule with a pattern has no effect here. */
export interface Rules {
  allow: ReadonlySet<string>
  ask: ReadonlySet<string>
  deny: ReadonlySet<string>
}

export const noRules: Rules = { allow: new Set(), ask: new Set(), deny: new Set() }

/** Reads the rules of a request, which replace those of the request before. */
export function rulesIn(settings: unknown): Rules {
  const { permissions } = (settings ?? {}) as { permissions?: Partial<Record<keyof Rules, unknown>> }
  const named = (decision: keyof Rules) => {
    const list = permissions?.[decision]
    return new Set(Array.isArray(list) ? list.filter(rule => typeof rule === 'string') : [])
  }
  return { allow: named('allow'), ask: named('ask'), deny: named('deny') }
}
