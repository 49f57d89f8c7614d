import type { ApiRequest } from '../conversation.ts'
import type { Reply } from '../reply.ts'

/** Answers one request. A conversation with tools takes several, which differ in `request.toolResults`. */
export type Scenario = (request: ApiRequest) => Reply
