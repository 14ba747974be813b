// Prints `N passed, N failed`: the checks that failed before, and the given vitest reports. No report is a failure.
import { readFileSync } from 'node:fs'

const [failedChecks, ...reports] = process.argv.slice(2)
let passed = 0
let failed = Number(failedChecks)
for (const file of reports) {
  try {
    const { success, numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'))
    const broken = testResults.filter(
      (each) => each.status === 'failed' && each.assertionResults.length === 0,
    )
    passed += numPassedTests
    failed += numFailedTests + broken.length
    // An error outside of every test, such as a rejection that nobody handles.
    if (!success && numFailedTests + broken.length === 0) failed += 1
  } catch {
    failed += 1
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0
