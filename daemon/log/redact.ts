/** The text that replaces a secret. */
export const redacted = '[redacted]'

/**
 * Replaces the secrets in a text for people, such as a failure or a log line. Pure and deterministic. Takes time linear
 * in the length of the text, because every expression is bounded or has an unambiguous start. Conversations are not
 * redacted: they are the user's own data.
 */
export function redact(text: string): string {
  if (text.length < 8) return text
  return text
    .replace(privateKeys, redacted)
    .replace(userInfos, `$1${redacted}@`)
    .replace(cookies, `$1${redacted}`)
    .replace(headers, `$1${redacted}`)
    .replace(bearers, `$1${redacted}`)
    .replace(flags, (flag, name: string, separator: string, value: string) =>
      looksSecret(value, name) ? `${name}${separator}${redacted}` : flag,
    )
    .replace(basics, (credentials, scheme: string, value: string) =>
      isUserAndPassword(value) ? `${scheme}${redacted}` : credentials,
    )
    .replace(tokens, redacted)
    .replace(pairs, (pair, name: string, separator: string, value: string) =>
      looksSecret(value, name) ? `${name}${separator}${redacted}` : pair,
    )
}

/** Whether a field of this name holds a secret, whatever it looks like. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

// A key without an end extends to the end of the text, and an end without a start begins a text of Base64 only: either
// end of the text may have been cut.
const privateKeys =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:[^]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|[^]*)|^[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/g

/** `scheme://user:password@`. The password may contain an `@`. */
const userInfos = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#:@"'`<>\\]{0,200}:[^\s/?#"'`<>\\]{1,1000}@/gi

const quotes = String.raw`["'\\]{0,4}`
const separator = String.raw`${quotes}[ \t]{0,8}[:=][ \t]{0,8}${quotes}`

const cookies = new RegExp(String.raw`(\b(?:set-)?cookie${separator})[^\r\n"'\\]+`, 'gi')
const headers = new RegExp(
  String.raw`(\b(?:(?:proxy-)?authorization|x-api-key|x-auth-token|x-goog-api-key)${separator}(?:(?:bearer|basic|token|digest)[ \t]{1,8})?)[^\s"'\\,;]+`,
  'gi',
)
/** Matches any Base64 text; its decoded content decides whether it is a user and a password. */
const basics = /(\bbasic[ \t]{1,8})([A-Za-z0-9+/_-]{6,4000}={0,2})/gi

/** `--password x` and `--password=x`, also as two items of a list: `"--password", "x"`. `-p` has too many meanings. */
const flags = new RegExp(
  String.raw`(--(?:[a-z0-9]{1,20}[_-]){0,4}(?:password|passwd|passphrase|pass|secret|token|key|api-?key|credentials?|auth))(["'\\]{0,3},[ \t]{0,8}["'\\]{0,3}|[ \t]{1,8}["'\\]{0,2}|=["'\\]{0,2})(?!-)([^\s"'\\,;]+)`,
  'gi',
)

const bearers = /(\bbearer[ \t]{1,8})[A-Za-z0-9._~+/-]{16,}={0,2}/gi

/** Keys with a known prefix, and JSON web tokens. */
const tokens = new RegExp(
  String.raw`sk-ant-[\w-]{8,}|` +
    [
      // A digit is required, because packages have names like this.
      String.raw`sk-(?=[\w-]{0,40}\d)[\w-]{16,}`,
      String.raw`(?:gh[oprsu]|npm|hf)_\w{20,}`,
      String.raw`github_pat_\w{20,}`,
      String.raw`glpat-[\w-]{16,}`,
      String.raw`xox[a-z]-[\w-]{10,}`,
      String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}`,
      String.raw`AIza[\w-]{30,}`,
      String.raw`eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
    ]
      .map(start => `(?<![\\w-])${start}`)
      .join('|'),
  'g',
)

const names =
  '(?:(?:[_-]|api|access|auth|secret|private|refresh|session|client)(?:key|token|secret)|passw(?:or)?d|passphrase|credentials?)'
const secretName = new RegExp(`${names}$`, 'i')
const pairs = new RegExp(String.raw`(${names})(${separator})((?<=")[^"\\\r\n]+|(?<=')[^'\\\r\n]+|[^\s"'\\,;&]+)`, 'gi')

/** Whether a text is `user:password` in Base64. Words like "authentication" are Base64 too, but of other bytes. */
function isUserAndPassword(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('latin1')
  return /^[\x20-\x7e\xa0-\xff]*:[\x20-\x7e\xa0-\xff]*$/.test(text)
}

/**
 * Whether a value looks like a secret. Paths, variables and a few placeholder words do not. Passwords need 4
 * characters, other secrets 8.
 */
function looksSecret(value: string, name: string): boolean {
  return (
    value.length >= (/^(?:--.*)?pass/i.test(name) ? 4 : 8) &&
    !/^(?:[~/.$<%{[]|(?:undefined|required|missing)$)/i.test(value)
  )
}
