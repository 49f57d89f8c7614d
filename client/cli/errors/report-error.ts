import { errorRecord } from './error-record.ts'
import { errorText } from './error-text.ts'
import { jsonLine, say } from '../screen/output.ts'
import { oneLine } from '../screen/text.ts'

/** Prints an error on standard error; with `--json` as one line of JSON. */
export function reportError(error: unknown, json: boolean): void {
  if (json) return say(jsonLine({ error: errorRecord(error) }))
  for (const [index, line] of errorText(error).split('\n').entries()) say(`${index ? '  ' : 'muxd: '}${oneLine(line)}`)
}
