/** The names under which the parts that act know `machine/end-request.ts`. */
export {
  endOf,
  escalateTo as pursue,
  isHarder,
  limitReached as exceed,
  type ReachedLimit,
  requestEnd as askForEnd,
} from './machine/end-request.ts'
