import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** They measure how long others wait, in seconds of the clock: nothing else may run beside them. */
const TIMED = ['tests/e2e/visitors.test.ts']

/** Long enough for a machine that has much else to do. */
const patience = { testTimeout: 300_000, hookTimeout: 300_000 }

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
