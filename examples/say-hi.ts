// One prompt, from beginning to end: npx tsx examples/say-hi.ts
import { connect } from '../client/sdk/index.ts' // 'muxd/client' outside this repository

const mux = await connect() // finds the local daemon; in a browser connect({ url, token })
const run = await mux.run({ prompt: 'say hi', cwd: '.' })
for await (const event of run.events()) if (event.type === 'assistant_text') process.stdout.write(event.delta)

const { response, costUsd } = await run.result() // rejects with RunFailed, RunCancelled or RunInterrupted
console.log(`\n${response.length} characters for $${costUsd}`)
mux.close()
