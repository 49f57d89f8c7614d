import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSuite, type Suite } from './support/suite.ts'
import { one, watch } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

test('two clients of one run get the same events, also if one of them attaches later', async () => {
  const first = watch(await suite.mux.run({ prompt: 'scn:parallel', cwd: suite.cwd }))
  await first.until('tool_use')
  const other = await suite.connect()
  const second = watch(other.attach(first.run.id))
  const [seenByFirst, seenBySecond] = await Promise.all([first.ended(), second.ended()])
  expect(seenBySecond).toEqual(seenByFirst)
  expect(one(seenByFirst, 'done').response).toBe('Both have run: 2 results.')
})

test('ten sessions at once each get their own answer', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `n${index}`)
  const runs = await Promise.all(names.map(name => suite.mux.run({ prompt: `scn:text:${name}`, cwd: suite.cwd })))
  const answers = await Promise.all(runs.map(async each => (await each.result()).response))
  expect(answers).toEqual(names.map(name => `The answer is ${name}, says the stand-in.`))
})

test('a client that goes away in the middle of a run does not end it', async () => {
  const leaving = await suite.connect()
  const { id } = await leaving.run({ prompt: 'scn:parallel', cwd: suite.cwd })
  await watch(suite.mux.attach(id)).until('tool_use')
  leaving.close()
  const { response } = await suite.mux.attach(id).result()
  expect(response).toBe('Both have run: 2 results.')
})
