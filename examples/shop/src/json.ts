/** What can be written as JSON and read again as the same. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
