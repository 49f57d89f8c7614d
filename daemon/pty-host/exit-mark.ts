/**
 * Finds the beginning of an exit record in a stream of chunks, also where a read has cut it in two. For a pty-host that
 * nobody reads along with: what it holds has ended when the record has come.
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
      // Almost every chunk is JSON, in which the mark's first byte does not occur.
      seen = chunk.includes(mark) || Buffer.concat([tail, chunk.subarray(0, mark.length)]).includes(mark)
      tail = Buffer.concat([tail, chunk.subarray(-mark.length)]).subarray(-mark.length)
    },
  }
}
