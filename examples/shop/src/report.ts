/** Where the shop says that something failed which it could do without: a cache, a listener, a refund that will be tried again. */
export type Report = (what: string, error: unknown) => void

export const reportToConsole: Report = (what, error) => console.error(`${what}:`, error)
