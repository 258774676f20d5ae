import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineMock, defineMockFunction } from '../../src/mock/index.ts'
import { codesOf, useSandboxes } from '../support/sandboxes.ts'

interface PaymentGateway {
  charge(request: { amountCents: number }, note?: string): Promise<{ id: string }>
  feeOf(amountCents: number): number
}

class StripeGateway implements PaymentGateway {
  async charge(request: { amountCents: number }, note = 'none'): Promise<{ id: string }> {
    return { id: `${request.amountCents} ${note}` }
  }
  feeOf(amountCents: number): number {
    return amountCents
  }
  helper(): void {}
}

const sandboxes = await useSandboxes()

/** A function by a name that the types do not know. */
function untyped(object: object, name: string): (...args: readonly unknown[]) => unknown {
  return (object as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[name]!
}

describe.each([
  ['a class', StripeGateway],
  ['an instance', new StripeGateway()],
  ['a list of classes and instances', [StripeGateway, new Date()]],
])('a contract that mirrors %s', (_, mirrors) => {
  const provider = defineMock<PaymentGateway>('PaymentGateway', { contract: { mirrors } })

  test('refuses to expect, to stub and to deny what is not there', async () => {
    const outcome = await sandboxes.run(() => {
      for (const verb of [provider.expect, provider.stub, provider.deny]) {
        expect(() => untyped(verb, 'chrage')(() => {})).toThrow(/no function "chrage"[^]*Did you mean "charge"/)
      }
    })
    expect(outcome).toEqual({ thrown: undefined, failures: [] })
  })

  test('fails the test at a call of what is not there, although the application caught it', async () => {
    const outcome = await sandboxes.run(() => {
      expect(() => untyped(provider.double, 'capture')()).toThrow('MOCK_FUNCTION_UNKNOWN')
    })
    expect(codesOf(outcome)).toEqual(['MOCK_FUNCTION_UNKNOWN'])
  })

  test('refuses more arguments than are taken, and lets fewer pass', async () => {
    const outcome = await sandboxes.run(async () => {
      provider.stub.charge(async () => ({ id: 'ch_1' }))
      await provider.double.charge({ amountCents: 1 })
      await provider.double.charge({ amountCents: 1 }, 'a note')
      const charge = untyped(provider.double, 'charge')
      expect(() => charge({ amountCents: 1 }, 'a note', true)).toThrow(/args\[2\]: 2 arguments are taken\n +it is true/)
    })
    expect(codesOf(outcome)).toEqual(['MOCK_CONTRACT_BROKEN'])
  })

  test('an implementation’s other functions are not stubbed', async () => {
    const outcome = await sandboxes.run(async () => {
      class FakeGateway extends StripeGateway {
        declineCards(): void {}
      }
      provider.stubAll(new FakeGateway())
      expect(await provider.double.charge({ amountCents: 5 })).toEqual({ id: '5 none' })
    })
    expect(outcome).toEqual({ thrown: undefined, failures: [] })
  })
})

const schemas = {
  zod: {
    charge: {
      args: z.tuple([z.object({ amountCents: z.int().positive() }), z.string().optional()]),
      result: z.object({ id: z.string().startsWith('ch_') }),
    },
    feeOf: { args: [z.int()], result: z.number().nonnegative() },
  },
  valibot: {
    charge: {
      args: v.tuple([
        v.object({ amountCents: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
        v.optional(v.string()),
      ]),
      result: v.object({ id: v.pipe(v.string(), v.startsWith('ch_')) }),
    },
    feeOf: { args: [v.pipe(v.number(), v.integer())], result: v.pipe(v.number(), v.minValue(0)) },
  },
} as const

describe.each(['zod', 'valibot'] as const)('a contract of schemas of %s', (library) => {
  const provider = defineMock<PaymentGateway>('PaymentGateway', { contract: { functions: schemas[library] } })
  const { double } = provider

  test('lets pass what fits', async () => {
    const outcome = await sandboxes.run(async () => {
      provider.stub.charge(async () => ({ id: 'ch_1' }))
      provider.stub.feeOf(() => 1)
      await double.charge({ amountCents: 1 }, undefined)
      double.feeOf(3)
    })
    expect(outcome).toEqual({ thrown: undefined, failures: [] })
  })

  test('fails the test at a call that breaks it, names path, value and rule, and blames the application', async () => {
    const outcome = await sandboxes.run(() => {
      provider.stub.charge(async () => ({ id: 'ch_1' }))
      expect(() => double.charge({ amountCents: 0.5 })).toThrow('MOCK_CONTRACT_BROKEN')
      expect(() => double.feeOf(0.5)).toThrow('MOCK_CONTRACT_BROKEN')
    })
    const [charge, fee] = outcome.failures
    expect(charge?.message).toMatch(/application called PaymentGateway\.charge[^]*args\[0\]\.amountCents: /)
    expect(charge?.message).toContain('it is 0.5')
    expect(fee?.message).toMatch(/feeOf\(0\.5\)[^]*args\[0\]: /)
  })

  test('fails the test at an answer that breaks it, and blames the stub', async () => {
    const outcome = await sandboxes.run(async () => {
      provider.stub.charge(async () => ({ id: 'none' }))
      provider.expect.feeOf(1).returns(-1)
      await expect(double.charge({ amountCents: 1 })).rejects.toThrow('MOCK_CONTRACT_BROKEN')
      expect(() => double.feeOf(1)).toThrow('MOCK_CONTRACT_BROKEN')
    })
    const [fee, charge] = outcome.failures.toSorted((a, b) => b.message.length - a.message.length).toReversed()
    expect(outcome.failures).toHaveLength(2)
    expect(charge?.message).toMatch(
      /test's own answer to PaymentGateway\.charge[^]*mock-contract\.test\.ts:[^]*result\.id: /,
    )
    expect(fee?.message).toMatch(/test's own answer to PaymentGateway\.feeOf[^]*result: /)
  })

  test('a function that it does not name is refused', async () => {
    const { thrown } = await sandboxes.run(() => untyped(provider.stub, 'refund')(() => {}))
    expect(thrown).toMatchObject({ code: 'MOCK_FUNCTION_UNKNOWN' })
  })
})

test('what is mirrored can have schemas as well', async () => {
  const provider = defineMock<PaymentGateway>('PaymentGateway', {
    contract: { mirrors: StripeGateway, functions: { feeOf: { result: z.number().max(10) } } },
  })
  const outcome = await sandboxes.run(async () => {
    provider.stub.feeOf(() => 11)
    provider.stub.charge(async () => ({ id: 'anything' }))
    await provider.double.charge({ amountCents: 1 })
    expect(() => provider.double.feeOf(1)).toThrow('MOCK_CONTRACT_BROKEN')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CONTRACT_BROKEN'])
})

test('a contract of one function has its schemas itself', async () => {
  const rate = defineMockFunction<(currency: string) => number>('rate', {
    contract: { args: [z.string().length(3)], result: z.number() },
  })
  const outcome = await sandboxes.run(() => {
    rate.stub(() => 1)
    expect(rate.double('EUR')).toBe(1)
    expect(() => rate.double('EURO')).toThrow('MOCK_CONTRACT_BROKEN')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CONTRACT_BROKEN'])
})

test('schemas that take time are waited for when the sandbox closes', async () => {
  const taken = z.string().refine(async (name) => Promise.resolve(name !== 'ada'), 'is taken')
  const names = defineMock<{ reserve(name: string): string }>('Names', {
    contract: { functions: { reserve: { args: [taken], result: taken } } },
  })
  const outcome = await sandboxes.run(() => {
    names.stub.reserve((name) => name)
    names.double.reserve('grace')
    names.double.reserve('ada')
  })
  expect(outcome.thrown).toBeUndefined()
  expect(outcome.failures.map(({ what }) => what.split(' ')[0])).toEqual(['The', 'The'])
  expect(codesOf(outcome)).toEqual(['MOCK_CONTRACT_BROKEN', 'MOCK_CONTRACT_BROKEN'])
})

/** A Standard Schema that judges by `validate`. */
function schemaOf(validate: (value: unknown) => never): {
  '~standard': { version: 1; vendor: string; validate: typeof validate }
} {
  return { '~standard': { version: 1, vendor: 'a test', validate } }
}

const broken = new TypeError('the schema is broken')

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw broken
    },
  ],
  ['rejects', () => Promise.reject(broken)],
])('a schema that %s fails the test, although the application caught it', async (_, validate) => {
  const schema = schemaOf(validate as () => never)
  const names = defineMock<{ reserve(name: string): string; find(name: string): Promise<string> }>('Names', {
    contract: { functions: { reserve: { args: [schema] }, find: { result: schema } } },
  })
  const outcome = await sandboxes.run(async () => {
    names.stub.reserve((name) => name)
    names.stub.find(async (name) => name)
    await Promise.allSettled([names.double.find('ada'), (async () => names.double.reserve('ada'))()])
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CONTRACT_BROKEN', 'MOCK_CONTRACT_BROKEN'])
  expect(outcome.failures.map(({ cause }) => cause)).toEqual([broken, broken])
})

test('a matcher that throws fails the test, although the application caught it', async () => {
  const names = defineMock<{ find(name: string): string }>('Names')
  const matcher = {
    asymmetricMatch: () => {
      throw broken
    },
  }
  const outcome = await sandboxes.run(() => {
    names.expect.find(matcher as never).times(0)
    names.stub.find((name) => name)
    expect(() => names.double.find('ada')).toThrow('could not be compared')
  })
  expect(codesOf(outcome)).toEqual(['CONFIG_INVALID'])
})

test('a check that does not end is reported with its call, once its mock’s time is over', async () => {
  const never = schemaOf((() => new Promise<never>(() => {})) as () => never)
  const names = defineMock<{ reserve(name: string): void }>('Names', {
    contract: { functions: { reserve: { args: [never] } } },
    settleMs: 120,
  })
  const outcome = await sandboxes.run(() => {
    names.stub.reserve(() => {})
    names.double.reserve('ada')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_PENDING'])
  expect(outcome.failures[0]?.message).toMatch(/after 120 ms[^]*Names: reserve\('ada'\)/)
})

test.each<[string, object, string]>([
  ['mirrors what is no implementation', { mirrors: {} }, 'no function was found'],
  ['names a function that is not mirrored', { mirrors: StripeGateway, functions: { refund: {} } }, 'names "refund"'],
  ['has something else for a schema', { functions: { charge: { args: [String] }, feeOf: {} } }, 'no Standard Schema'],
])('a contract that %s is refused', (_, contract, seen) => {
  expect(() => defineMock('PaymentGateway', { contract: contract as never })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', seen: expect.stringContaining(seen) }),
  )
})
