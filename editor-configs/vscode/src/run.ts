// Runs one program to its end; knows nothing of VS Code.

import { spawn } from "node:child_process";
import { homedir } from "node:os";

import type { Command } from "./server";

export interface Outcome {
  /** The exit status; undefined where it could not start or was ended. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What the program reads; a key goes this way, since arguments are seen by every process. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Takes what the program says of its progress, as it says it. */
  readonly onStderr?: (text: string) => void;
}

/** Run a program in the home folder: one that is started inside a cloned repository might pick up what lies there. */
export function run([program, ...args]: Command, options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const signal = options.signal ? { signal: options.signal } : {};
    const child = spawn(program, args, { cwd: homedir(), windowsHide: true, ...signal });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.onStderr?.(text);
    });
    child.on("error", (error) => resolve({ status: undefined, stdout, stderr: stderr || error.message }));
    child.on("close", (status) => resolve({ status: status ?? undefined, stdout, stderr }));
    // A program that ends without reading breaks the pipe, which its exit status already tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Give what the first failed check says, or "" where none failed. */
export function failLine(stdout: string): string {
  const found = /^fail\s+(.*?)\s{2,}(.*)$|^fail\s+(.*)$/m.exec(stdout);
  return found ? (found[3] ?? `${found[1]}: ${found[2]}`).trim() : "";
}

/** Give the last line that says something, for a message of one line. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
