import { errors } from './errors.ts'
import { permissions } from './permissions.ts'
import { retries } from './retries.ts'
import type { Scenario } from './scenario.ts'
import { texts } from './texts.ts'
import { tools } from './tools.ts'

/** All scenarios by the NAME of their marker `scn:NAME`. */
export const scenarios: Record<string, Scenario> = { ...texts, ...tools, ...permissions, ...errors, ...retries }
