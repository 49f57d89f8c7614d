/** Marks the requests that carry permission rules, so that the next daemon recognises their answers. */
export const rulesRequest = 'rules'
