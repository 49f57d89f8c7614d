import { constants } from 'node:os'
import { listOption, numberOption, textOption } from '../prompt.ts'
import type { Scripts } from '../script.ts'
import { die, exit, hang, stderr, text, tools } from '../steps.ts'
import { bash } from './tools.ts'

/** Scripts in which the process itself misbehaves. */
export const endings: Scripts = {
  hang: {
    apart: true,
    about: 'Stops answering: before any frame, in the text, in a tool, or after the result. `ignore` what you like.',
    options: 'at=text|start|tool|result ignore=interrupt,int,term,hup',
    async *play({ call, session }) {
      for (const what of listOption(call, 'ignore')) session.deafTo.add(what)
      const at = textOption(call, 'at', 'text')
      yield text('This simulated answer')
      if (at === 'result') {
        for (const what of ['end', 'input', 'interrupt']) session.deafTo.add(what)
        // Nothing else keeps the process alive once its input has ended.
        setInterval(() => {}, 1 << 30)
        return
      }
      if (at === 'tool') yield tools({ ...bash('sleep infinity', 'Hang', '', 0), run: turn => hang()(turn) as never })
      yield hang()
    },
  },
  'hang-at-start': {
    about: '',
    bare: true,
    async *play({ call, session }) {
      for (const what of listOption(call, 'ignore')) session.deafTo.add(what)
      yield hang()
    },
  },
  crash: {
    apart: true,
    about: 'Dies in the middle of its text, without a result: with an exit code, or of a signal.',
    options: 'code=3 signal= stderr="Error: simulated crash"',
    async *play({ call }) {
      yield text('This simulated answer will not')
      yield stderr(textOption(call, 'stderr', 'Error: simulated crash'))
      const signal = textOption(call, 'signal', '')
      if (signal in constants.signals) yield die(signal as NodeJS.Signals)
      yield exit(numberOption(call, 'code', 3))
    },
  },
  silent: {
    about: 'Ends at once without printing anything.',
    options: 'code=0',
    bare: true,
    async *play({ call }) {
      yield exit(numberOption(call, 'code', 0))
    },
  },
}
