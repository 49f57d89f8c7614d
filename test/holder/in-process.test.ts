import { createInProcessHolder } from '../../daemon/holder/in-process.ts'
import { describeHolder } from './conformance.ts'

describeHolder('a holder in this process', async dir => ({ holder: createInProcessHolder({ dir }), pid: process.pid }))
