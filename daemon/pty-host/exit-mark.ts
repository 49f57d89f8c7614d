/**
 * Finds the start of an exit record in a stream of chunks, also when two chunks share it. While no daemon is attached,
 * the pty-host learns from the record that a command has ended.
 */
export function createExitMark(nonce: string): { readonly seen: boolean; look(chunk: Buffer): void } {
  const mark = Buffer.from(`\x1e${nonce} `)
  let tail: Buffer = Buffer.alloc(0)
  let seen = false
  return {
    get seen() {
      return seen
    },
    look(chunk) {
      if (seen) return
      // Almost every chunk is JSON, which does not contain the mark's first byte.
      seen = chunk.includes(mark) || Buffer.concat([tail, chunk.subarray(0, mark.length)]).includes(mark)
      tail = Buffer.concat([tail, chunk.subarray(-mark.length)]).subarray(-mark.length)
    },
  }
}
