export interface InputHandlers {
  /** One line without its newline; empty lines are left out. */
  onLine: (line: string) => void
  onEnd: () => void
}

/** Reads standard input line by line. A long line is a list of chunks until it is complete. */
export function readLines(stream: NodeJS.ReadableStream, { onLine, onEnd }: InputHandlers): void {
  let head: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, at)
      const line = (head.length === 0 ? tail : Buffer.concat([...head, tail])).toString('utf8').trim()
      head = []
      from = at + 1
      if (line !== '') onLine(line)
    }
    if (from < chunk.length) head.push(chunk.subarray(from))
  })
  stream.on('end', () => {
    const line = Buffer.concat(head).toString('utf8').trim()
    if (line !== '') onLine(line)
    onEnd()
  })
  stream.on('error', onEnd)
}

/** Reads all of standard input as one text, for a prompt that is piped in. */
export async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8').trim()
}
