import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { play } from '../support/simulator.ts'

const directory = resolve('test/fixtures/recordings')
const recordings = readdirSync(directory).filter(file => /\.raw(\.gz)?$/.test(file))

test.each(recordings)('replay prints %s byte for byte', async name => {
  const file = `${directory}/${name}`
  const { stdout, code } = await play(`sim:replay recording=${file} speed=0`)
  const bytes = readFileSync(file)
  expect(stdout.equals(name.endsWith('.gz') ? gunzipSync(bytes) : bytes)).toBe(true)
  expect(code).toBe(0)
})
