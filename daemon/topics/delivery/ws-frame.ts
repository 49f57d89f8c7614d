/**
 * Returns a WebSocket text message as its bytes on the wire: FIN, opcode 1, unmasked (as a server's frames are), no
 * extension. A frame is built once and written to every connection alike.
 */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  const header = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10
  // Not from the pool: a small frame that waits for a slow reader would keep 8 KB of it.
  const frame = Buffer.allocUnsafeSlow(header + bytes)
  frame[0] = 0x81
  if (header === 2) {
    frame[1] = bytes
  } else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(bytes, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(0, 2)
    frame.writeUInt32BE(bytes, 6)
  }
  frame.write(text, header, 'utf8')
  return frame
}
