import { crc32, deflateSync, inflateSync } from 'node:zlib'

const signature = Buffer.from('89504e470d0a1a0a', 'hex')
const maxColours = 256
/**
 * The most frequent `exact` colours are kept. Each further colour of the palette differs from all others by more than
 * `apart`.
 */
const exact = 32
const apart = 150

/**
 * Returns the picture with a palette, at a third of the size. The rarest colours, at the edges of letters, become
 * similar ones.
 */
export function withPalette(png: Buffer): Buffer {
  const { width, height, pixels } = decoded(png)
  const counts = new Map<number, number>()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const palette: number[] = []
  for (const colour of [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!)) {
    if (palette.length === maxColours) break
    if (palette.length < exact || palette.every(other => distance(colour, other) > apart)) palette.push(colour)
  }
  const places = new Map(palette.map((colour, place) => [colour, place]))
  const placeOf = (colour: number) => {
    const known = places.get(colour)
    if (known !== undefined) return known
    const distances = palette.map(other => distance(colour, other))
    const place = distances.indexOf(Math.min(...distances))
    places.set(colour, place)
    return place
  }
  const rows = Buffer.alloc((width + 1) * height)
  pixels.forEach((pixel, at) => (rows[at + Math.floor(at / width) + 1] = placeOf(pixel)))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.concat(palette.map(colour => Buffer.from([colour >> 16, colour >> 8, colour])))
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  size.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([size, body, sum])
}

/** Decodes a picture as Chromium writes it: 8 bits a channel, without interlacing. Each pixel is 0xRRGGBB. */
function decoded(png: Buffer): { width: number; height: number; pixels: Uint32Array } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const channels = png[25] === 6 ? 4 : 3
  const data: Buffer[] = []
  for (let at = signature.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  const bytes = inflateSync(Buffer.concat(data))
  const stride = width * channels
  const pixels = new Uint32Array(width * height)
  let above: Buffer = Buffer.alloc(stride)
  for (let row = 0; row < height; row++) {
    const start = row * (stride + 1)
    const line = unfiltered(bytes[start]!, bytes.subarray(start + 1, start + 1 + stride), above, channels)
    for (let column = 0; column < width; column++) {
      pixels[row * width + column] = line.readUIntBE(column * channels, 3)
    }
    above = line
  }
  return { width, height, pixels }
}

/** Undoes one of PNG's five filters on a line. */
function unfiltered(filter: number, line: Buffer, above: Buffer, channels: number): Buffer {
  for (let at = 0; at < line.length; at++) {
    const left = at < channels ? 0 : line[at - channels]!
    const up = above[at]!
    const corner = at < channels ? 0 : above[at - channels]!
    const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!
    line[at] = line[at]! + guess
  }
  return line
}

function paeth(left: number, up: number, corner: number): number {
  const [byLeft, byUp, byCorner] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs) as [
    number,
    number,
    number,
  ]
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner
}

function distance(a: number, b: number): number {
  const between = (shift: number) => ((a >> shift) & 255) - ((b >> shift) & 255)
  return between(16) ** 2 + between(8) ** 2 + between(0) ** 2
}
