/** The token lives as long as the tab: reloads keep it, other tabs do not have it, and no request carries it by itself. */
const key = 'muxd.token'

export const forgetToken = () => sessionStorage.removeItem(key)

/**
 * The token of this tab: exchanged for the one-time `code`, if there is one, else as it was kept. Rejects with why the
 * code is good for none.
 */
export async function takeToken(code: string | undefined): Promise<string | undefined> {
  if (code === undefined) return sessionStorage.getItem(key) ?? undefined
  const response = await fetch('/auth/exchange', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  })
  const answer = (await response.json().catch(() => ({}))) as { token?: string; error?: string }
  if (!response.ok || answer.token === undefined) throw new Error(answer.error ?? `HTTP ${response.status}`)
  sessionStorage.setItem(key, answer.token)
  return answer.token
}
