/** An expression of a constraint, as far as it is understood. */
export type Expression =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'operator'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'and' | 'or'; readonly args: readonly Expression[] }
  | { readonly kind: 'not'; readonly arg: Expression }
  | { readonly kind: 'is'; readonly arg: Expression; readonly what: 'null' | 'true' | 'false' | 'unknown' }
  | { readonly kind: 'array'; readonly args: readonly Expression[] }
  | {
      readonly kind: 'quantified'
      readonly all: boolean
      readonly name: string
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly (readonly [when: Expression, then: Expression])[]
      readonly otherwise: Expression
    }
  | { readonly kind: 'cast'; readonly arg: Expression; readonly type: string }

/** The columns that an expression names. */
export function columnsIn(expression: Expression): ReadonlySet<string> {
  const found = new Set<string>()
  for (const one of partsOf(expression)) if (one.kind === 'column') found.add(one.name)
  return found
}

/** The values that stand in an expression. */
export function literalsIn(expression: Expression): readonly (string | number | boolean)[] {
  return [...partsOf(expression)].flatMap((one) => (one.kind === 'literal' && one.value !== null ? [one.value] : []))
}

/** The expression and all that it is made of. */
export function* partsOf(expression: Expression): Generator<Expression> {
  yield expression
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return
    case 'not':
    case 'is':
    case 'cast':
      yield* partsOf(expression.arg)
      return
    case 'quantified':
      yield* partsOf(expression.left)
      yield* partsOf(expression.right)
      return
    case 'case':
      for (const [when, then] of expression.branches) {
        yield* partsOf(when)
        yield* partsOf(then)
      }
      yield* partsOf(expression.otherwise)
      return
    default:
      for (const arg of expression.args) yield* partsOf(arg)
  }
}

/** The expressions that must all be true for this one to be. */
export function conjunctsOf(expression: Expression): readonly Expression[] {
  return expression.kind === 'and' ? expression.args.flatMap(conjunctsOf) : [expression]
}
