import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** They measure how long others wait, in seconds of the clock: nothing else may run beside them. */
const TIMED = ['tests/e2e/visitors.test.ts']

const patience = { testTimeout: 60_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    globalSetup: ['tests/support/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'at once',
          include: ['tests/{unit,contract,mail,cli,e2e}/**/*.test.ts'],
          exclude: TIMED,
          sequence: { groupOrder: 0 },
          ...patience,
        },
      },
      { test: { name: 'alone', include: TIMED, sequence: { groupOrder: 1 }, ...patience } },
    ],
  },
})
