/** A schema of zod, valibot, ArkType and others: what is used here of Standard Schema, version 1 (standardschema.dev). */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>
  }
}

/** What a schema says of a value: no `issues` means that it is valid. */
export interface SchemaResult {
  readonly issues?: readonly SchemaIssue[] | undefined
}

/** One rule that a value breaks, and where in it. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}
