import type { BookCheck } from './books.ts'
import type { RaceOutcome } from './customers.ts'
import type { StockedProduct } from './stock.ts'

export interface Screen {
  readonly bounds: { readonly orders: number; readonly customers: number; readonly seconds: number }
  readonly products: readonly StockedProduct[]
  readonly outcome: RaceOutcome
  readonly books: readonly BookCheck[]
}

export function printScreen({ bounds, products, outcome, books }: Screen): void {
  const { paid, refused, abandoned, durationsMs, elapsedMs } = outcome
  const at = (share: number): string =>
    `${(durationsMs[Math.floor((durationsMs.length - 1) * share)] ?? 0).toFixed(0)} ms`
  const answers = [...refused].toSorted(([, one], [, other]) => other - one)
  console.log(`
The shop under load

  ${bounds.customers} customers at once tried ${bounds.orders} orders, ${bounds.seconds} s at most
  ${products.length} products with ${products.map(({ stock }) => stock).join(', ')} in stock

  paid            ${paid.length}
${answers.map(([name, times]) => `  ${name.padEnd(16)}${times}`).join('\n')}
  not awaited     ${abandoned}
  time            ${(elapsedMs / 1000).toFixed(1)} s, ${(durationsMs.length / (elapsedMs / 1000)).toFixed(0)} answers a second
  an answer       half within ${at(0.5)}, 95 % within ${at(0.95)}, the slowest ${at(1)}

The books
`)
  for (const { rule, looked, wrong } of books) {
    console.log(`  ${wrong.length === 0 ? 'ok    ' : 'WRONG '}  ${rule} (${looked})`)
    for (const line of wrong.slice(0, 5)) console.log(`          ${line}`)
  }
  console.log('')
}
