// The properties of this machine used in a search for programs, so that tests can describe another one.

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  isProgram(path: string): boolean;
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), isProgram };
}

/**
 * Return a program's path, from `PATH` and from the folders of `pipx` and `uv`.
 *
 * Relative entries of `PATH` are left out: they would be looked up in the open folder.
 */
export function findProgram(name: string, machine: Machine): string | undefined {
  const path = pathOf(machine);
  const entries = (machine.env["PATH"] ?? machine.env["Path"] ?? "").split(path.delimiter);
  // An editor started from a desktop often does not have it in its PATH.
  const folders = [...entries.filter((entry) => path.isAbsolute(entry)), path.join(machine.home, ".local", "bin")];
  return folders.map((folder) => path.join(folder, fileName(name, machine))).find((file) => machine.isProgram(file));
}

/** Return the path of a program in a virtual environment. */
export function inEnvironment(folder: string, name: string, machine: Machine): string {
  const scripts = machine.platform === "win32" ? "Scripts" : "bin";
  return pathOf(machine).join(folder, scripts, fileName(name, machine));
}

function fileName(name: string, machine: Machine): string {
  return machine.platform === "win32" ? `${name}.exe` : name;
}

function pathOf(machine: Machine): typeof posix {
  return machine.platform === "win32" ? win32 : posix;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
