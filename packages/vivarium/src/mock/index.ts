/**
 * Doubles of an application's contracts: typed, owned by the test's sandbox, verified when it closes.
 *
 * @module
 */
export { defineMock, defineMockFunction } from './define-mock.ts'
export { describeContract } from './describe-contract.ts'
export type { ContractSubjects, DescribeBlock, DescribeContractOptions } from './describe-contract.ts'
export type {
  AnyFunction,
  Denials,
  Expectation,
  Expectations,
  Expected,
  FunctionContract,
  FunctionNames,
  Implementation,
  Mock,
  MockContract,
  MockFunction,
  MockFunctionOptions,
  MockOptions,
  Stubs,
} from './mock-types.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'
