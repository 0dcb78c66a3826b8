/** As much of an error as helps: a client says what is wrong in its last words. */
const MOST_CHARACTERS = 500

/**
 * Runs checks one after the other: a check is a title and work that fails by throwing. Each is reported and printed as it ends, with what was wrong; the answer
 * is whether it held.
 */
export function checker(report) {
  return async (title, work) => {
    const problem = await work().then(
      () => undefined,
      (error) =>
        String(error.stderr || error.message)
          .trim()
          .slice(-MOST_CHARACTERS),
    )
    report(title, problem)
    console.log(`  ${title.padEnd(76)} ${problem === undefined ? 'ok' : `FAILED ${problem}`}`)
    return problem === undefined
  }
}
