import type { ApiRequest } from '../conversation.ts'
import type { Reply } from '../reply.ts'
import { errors } from './errors.ts'
import { permissions } from './permissions.ts'
import { retries } from './retries.ts'
import { texts } from './texts.ts'
import { tools } from './tools.ts'

/** Answers one request. A conversation with tools takes several, which differ in `request.toolResults`. */
export type Scenario = (request: ApiRequest) => Reply

/** All scenarios by the NAME of their marker `scn:NAME`. */
export const scenarios: Record<string, Scenario> = { ...texts, ...tools, ...permissions, ...errors, ...retries }
