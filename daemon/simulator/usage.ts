/** Tokens of one request, or of several together. Estimates: a quarter of the characters. */
export interface Tokens {
  input: number
  output: number
  cacheCreation: number
  cacheRead: number
}

export const noTokens = (): Tokens => ({ input: 0, output: 0, cacheCreation: 0, cacheRead: 0 })

export const estimateTokens = (text: string): number => Math.ceil(text.length / 4)

export function addTokens(to: Tokens, more: Tokens): void {
  to.input += more.input
  to.output += more.output
  to.cacheCreation += more.cacheCreation
  to.cacheRead += more.cacheRead
}

/** Made-up prices in USD; nothing is charged. */
export const costOf = ({ input, output, cacheCreation, cacheRead }: Tokens): number =>
  (input * 4 + output * 20 + cacheCreation * 5 + cacheRead * 0.4) / 1e6

/** The `usage` of a `result` frame and of a sub-agent's report. */
export function resultUsage(tokens: Tokens): object {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheCreation,
    cache_read_input_tokens: tokens.cacheRead,
    output_tokens: tokens.output,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
    service_tier: 'standard',
    cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
    inference_geo: '',
    iterations: [],
    speed: 'standard',
    fallback_credit: null,
  }
}

/** The `usage` of a message that the model is writing. */
export function messageUsage(tokens: Tokens): object {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheCreation,
    cache_read_input_tokens: tokens.cacheRead,
    output_tokens: tokens.output,
    service_tier: 'standard',
  }
}

/** `modelUsage` of a `result` frame. */
export function modelUsage(models: ReadonlyMap<string, Tokens>): object {
  const entry = ([model, tokens]: [string, Tokens]) => [
    model,
    {
      inputTokens: tokens.input,
      outputTokens: tokens.output,
      cacheReadInputTokens: tokens.cacheRead,
      cacheCreationInputTokens: tokens.cacheCreation,
      webSearchRequests: 0,
      costUSD: costOf(tokens),
      contextWindow: 1_000_000,
      maxOutputTokens: 128_000,
      thinkingTokens: 0,
      cacheCreationEphemeral5mInputTokens: 0,
      cacheCreationEphemeral1hInputTokens: 0,
      canonicalModel: model,
      provider: 'simulator',
      costBasis: 'list',
    },
  ]
  return Object.fromEntries([...models].map(entry))
}
