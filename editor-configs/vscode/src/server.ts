// Finds the server, and how to install one; independent of VS Code.

import { findProgram, inEnvironment, type Machine } from "./machine";

export const PROGRAM = "llm-lsp";

/** The oldest Python that the server supports. */
const OLDEST_PYTHON = "3.11";
const IS_PYTHON_GOOD = "import sys; sys.exit(sys.version_info < (3, 11))";
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Return the program to run: the configured one, the user's own, or the one in `ownFolder`. */
export function findServer(named: string, ownFolder: string, machine: Machine): string | undefined {
  if (named) return machine.isProgram(named) ? named : undefined;
  const own = inEnvironment(ownFolder, PROGRAM, machine);
  return findProgram(PROGRAM, machine) ?? (machine.isProgram(own) ? own : undefined);
}

/**
 * Return the commands that install the server into a new folder: with uv if it is available, since it brings its own
 * Python if the machine's is too old, otherwise with the first Python that is recent enough.
 *
 * Undefined if there is neither.
 */
export async function installation(
  folder: string,
  wanted: string,
  machine: Machine,
  succeeds: (command: Command) => Promise<boolean>,
): Promise<Command[] | undefined> {
  const python = inEnvironment(folder, "python", machine);
  const uv = findProgram("uv", machine);
  if (uv) {
    return [
      [uv, "venv", "--python", `>=${OLDEST_PYTHON}`, folder],
      [uv, "pip", "install", "--python", python, wanted],
    ];
  }
  for (const name of PYTHONS) {
    const found = findProgram(name, machine);
    if (found && (await succeeds([found, "-I", "-c", IS_PYTHON_GOOD]))) {
      return [
        [found, "-I", "-m", "venv", folder],
        [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", wanted],
      ];
    }
  }
  return undefined;
}
