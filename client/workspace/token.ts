/**
 * `sessionStorage` keeps the token for the life of the tab. Other tabs do not have it, and no request sends it by
 * itself.
 */
const key = 'muxd.token'

export const forgetToken = () => sessionStorage.removeItem(key)

/**
 * Returns the token of this tab: in exchange for the one-time `code` if given, else the stored one. Rejects if the
 * daemon does not accept the code.
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
