/** What stands in the place of a secret. */
export const redacted = '[redacted]'

/**
 * Takes secrets out of a text that is made for people: failures, log lines. Pure, deterministic, in time linear to the
 * text's length: every expression is bounded, or begins where only one begins. What is said in a conversation never goes
 * through here; it is the user's own data.
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

// One without its end goes on to the end of the text: a tail may have been cut anywhere.
const privateKeys =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:[^]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|[^]*)|^[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/g

/** `scheme://user:password@`. The password may have an `@` of its own. */
const userInfos = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#:@"'`<>\\]{0,200}:[^\s/?#"'`<>\\]{1,1000}@/gi

const quotes = String.raw`["'\\]{0,4}`
const separator = String.raw`${quotes}[ \t]{0,8}[:=][ \t]{0,8}${quotes}`

const cookies = new RegExp(String.raw`(\b(?:set-)?cookie${separator})[^\r\n"'\\]+`, 'gi')
const headers = new RegExp(
  String.raw`(\b(?:(?:proxy-)?authorization|x-api-key|x-auth-token|x-goog-api-key)${separator}(?:(?:bearer|basic|token|digest)[ \t]{1,8})?)[^\s"'\\,;]+`,
  'gi',
)
/** Of the letters of Base64 alone: what is in them tells whether it is a user and a password. */
const basics = /(\bbasic[ \t]{1,8})([A-Za-z0-9+/_-]{6,4000}={0,2})/gi

/** `--password x`, also as two words of a list: `"--password", "x"`. With `=` they are pairs like others. `-p` says nothing. */
const flags = new RegExp(
  String.raw`(--(?:[a-z0-9]{1,20}[_-]){0,4}(?:password|passwd|passphrase|pass|secret|token|key|api-?key|credentials?|auth))(["'\\]{0,3},[ \t]{0,8}["'\\]{0,3}|[ \t]{1,8}["'\\]{0,2}|=["'\\]{0,2})(?!-)([^\s"'\\,;]+)`,
  'gi',
)

const bearers = /(\bbearer[ \t]{1,8})[A-Za-z0-9._~+/-]{16,}={0,2}/gi

/** Keys that are known by how they begin, and JSON web tokens. */
const tokens = new RegExp(
  String.raw`sk-ant-[\w-]{8,}|` +
    [
      // With a digit, for there are packages named like this.
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

/** `user:password` in Base64. Words like "authentication" are Base64 as well, but of something else. */
function isUserAndPassword(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('latin1')
  return /^[\x20-\x7e\xa0-\xff]*:[\x20-\x7e\xa0-\xff]*$/.test(text)
}

/** A path, a variable and a plain word are none; of passwords only the shortest are let through. */
function looksSecret(value: string, name: string): boolean {
  return (
    value.length >= (/^(?:--.*)?pass/i.test(name) ? 4 : 8) &&
    !/^(?:[~/.$<%{[]|(?:undefined|required|missing)$)/i.test(value)
  )
}
