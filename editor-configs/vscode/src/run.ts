// Runs one program to its end; independent of VS Code.

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
  /** The program's input; used for keys, because every process can see arguments. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Receives the program's progress messages. */
  readonly onStderr?: (text: string) => void;
}

/** Run a program in the home folder: one that is started inside a cloned repository might load files from it. */
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
    // A program that ends without reading breaks the pipe; its exit status already shows that.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Return the text of the first failed check, or "" if none failed. */
export function failLine(stdout: string): string {
  const found = /^fail\s+(.*?)\s{2,}(.*)$|^fail\s+(.*)$/m.exec(stdout);
  return found ? (found[3] ?? `${found[1]}: ${found[2]}`).trim() : "";
}

/** Return the last non-blank line, for a one-line message. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
