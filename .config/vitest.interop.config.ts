import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** A real Django site answers; each question starts a Python, which takes a second or more. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['tests/interop/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
})
