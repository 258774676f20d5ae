/**
 * The linter's rules. The first table is docs/architecture.md's import directions: what each folder of
 * packages/vivarium/src may import besides itself; everything else inside src is refused.
 */
const postgresPipeline = ['protocol', 'connection', 'server', 'template', 'leases', 'gateway', 'component']

/** Folders of src/postgres, each allowed what stands before it in the pipeline. `sql` is pure: only these may use it. */
const usersOfSql = ['template', 'gateway', 'component']

/** Parts of a sandbox, each in a folder of its own: they stand on `core` and `machine` alone and know nothing of one another. */
const components = ['postgres', 'redis', 'mock', 'mail', 'http', 'pubsub']

const src = 'packages/vivarium/src'
const wrongWay = 'This import points the wrong way: see docs/architecture.md.'

const testRunner = { regex: '^vitest(/|$)', message: 'Only src/vitest knows a test runner.' }
const itself = { regex: '^vivarium(/|$)', message: 'Inside the package, import by relative path.' }
const io = {
  regex: '^(node:)?(net|tls|fs|child_process|dgram|http|https|worker_threads)(/|$)',
  message: 'No I/O in this folder: see docs/architecture.md.',
}

/** Relative imports that climb out of a folder into one of `folders`. */
function intoFolders(folders) {
  return { regex: `^(\\.\\./)+(postgres/)?(${folders.join('|')})(/|\\.ts$)`, message: wrongWay }
}

/** An override that restricts what the files of `folder` import. */
function imports(folder, ...patterns) {
  return { files: [`${src}/${folder}`], rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

const importDirections = [
  imports('*.ts', { regex: '^\\./vitest/', message: wrongWay }, testRunner, itself),
  imports(
    'core/**',
    intoFolders([...components, 'machine', 'factory', 'vivarium', 'vitest', 'cli']),
    testRunner,
    itself,
    io,
  ),
  imports('machine/**', intoFolders([...components, 'factory', 'vivarium', 'vitest', 'cli']), testRunner, itself),
  ...components.map((folder) => {
    const others = components.filter((other) => other !== folder)
    return imports(`${folder}/**`, intoFolders([...others, 'factory', 'vivarium', 'vitest', 'cli']), testRunner, itself)
  }),
  imports(
    'postgres/sql/**',
    intoFolders(['core', 'factory', 'vivarium', 'vitest', ...postgresPipeline]),
    testRunner,
    itself,
    io,
  ),
  ...postgresPipeline.map((folder, index) => {
    const later = postgresPipeline.slice(index + 1)
    const sql = usersOfSql.includes(folder) ? [] : ['sql']
    const patterns = [intoFolders(['factory', 'vivarium', 'vitest', 'cli', ...later, ...sql]), testRunner, itself]
    if (folder === 'protocol') patterns.push(io)
    return imports(`postgres/${folder}/**`, ...patterns)
  }),
  // Above the components, and known to nothing below: a test imports it.
  imports('factory/**', intoFolders(['vivarium', 'vitest', 'cli']), testRunner, itself),
  imports('vivarium/**', intoFolders(['factory', 'vitest', 'cli']), testRunner, itself),
  imports('cli/**', intoFolders(['vitest', ...components]), testRunner, itself),
  imports('vitest/**', { regex: '^(\\.\\./)+postgres/', message: 'A runner adapter stands on src/vivarium.' }, itself),
]

const packageInternals = {
  regex: 'packages/vivarium',
  message: "Only what the package exports: 'vivarium' or a subpath.",
}

const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']

export default {
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'node', 'promise', 'vitest'],
  categories: { correctness: 'error' },
  ignorePatterns: ['**/dist', '**/.cache', '**/.build-*'],
  rules: {
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/consistent-type-imports': 'error',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'typescript/unbound-method': 'off',
    // Helpers assert, titles are computed, a table of cases has branches: these judge that by its looks.
    'vitest/expect-expect': 'off',
    'vitest/valid-title': 'off',
    'vitest/no-conditional-tests': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/valid-describe-callback': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
  },
  overrides: [
    {
      files: ['packages/*/src/**'],
      rules: {
        'import/no-default-export': 'error',
        'no-console': 'error',
        'max-lines': ['error', { max: 400, skipComments: true, skipBlankLines: true }],
        'no-restricted-globals': [
          'error',
          ...timers.map((name) => ({
            name,
            message: 'Timers come from core/clock.ts, so that faked ones do not stop us.',
          })),
        ],
      },
    },
    { files: [`${src}/core/clock.ts`], rules: { 'no-restricted-globals': 'off' } },
    ...importDirections,
    {
      files: ['examples/**', 'bench/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [packageInternals] }] },
    },
    {
      files: ['examples/*/src/**'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              packageInternals,
              { regex: '^vivarium(/|$)', message: 'The application knows nothing of Vivarium; its tests do.' },
            ],
          },
        ],
      },
    },
    {
      files: ['packages/**/*.test.ts', 'packages/*/test/**'],
      rules: {
        'no-restricted-imports': 'off',
        'no-restricted-globals': 'off',
        'max-lines': 'off',
        'no-console': 'off',
        'typescript/no-base-to-string': 'off',
      },
    },
    {
      files: ['examples/**/*.test.ts'],
      rules: { 'no-restricted-imports': ['error', { patterns: [packageInternals] }] },
    },
  ],
}
