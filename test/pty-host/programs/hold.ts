// Holds two processes until it is killed: one that ends at a hang-up, and one that ignores it and has a tool.
import { createInProcessPtyHost } from '../../../daemon/pty-host/in-process.ts'

const dir = process.argv[2]!
const ptyHost = createInProcessPtyHost({ dir })
const start = (id: string, script: string) =>
  ptyHost.start({
    id,
    nonce: 'N0',
    command: ['/bin/sh', '-c', script],
    cwd: dir,
    env: { PATH: process.env['PATH']! },
  })
await start('plain', 'echo printed; sleep 1000')
const stubborn = await start('stubborn', 'trap "" HUP; setsid sleep 1000 & echo printed; while :; do sleep 0.05; done')
stubborn.onGrow(() => process.stdout.write('ready\n'))
