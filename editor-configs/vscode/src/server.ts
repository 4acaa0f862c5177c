// Where the server is, and how one is installed; knows nothing of VS Code.

import { findProgram, inEnvironment, type Machine } from "./machine";

export const PROGRAM = "llm-lsp";

/** The oldest Python that the server runs on. */
const OLDEST_PYTHON = "3.11";
const IS_PYTHON_GOOD = "import sys; sys.exit(sys.version_info < (3, 11))";
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Give the program to run: the one that was named, the user's own, or the one in `ownFolder`. */
export function findServer(named: string, ownFolder: string, machine: Machine): string | undefined {
  if (named) return machine.isProgram(named) ? named : undefined;
  const own = inEnvironment(ownFolder, PROGRAM, machine);
  return findProgram(PROGRAM, machine) ?? (machine.isProgram(own) ? own : undefined);
}

/**
 * Give the commands that install the server into a folder that is not there yet: by uv where there is one,
 * since it brings its own Python where the machine's is too old, else by the first Python that is good enough.
 *
 * Undefined where there is neither.
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
