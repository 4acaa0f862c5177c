import assert from "node:assert/strict";
import { homedir } from "node:os";
import { test } from "node:test";

import { failLine, lastLine, run } from "../src/run";

const node = (script: string): [string, ...string[]] => [process.execPath, "-e", script];

test("what goes in comes out, and the exit status with it", async () => {
  const echo = "process.stdin.pipe(process.stdout); process.exitCode = 3";
  assert.deepEqual(await run(node(echo), { input: "a key\n" }), { status: 3, stdout: "a key\n", stderr: "" });
});

test("a program runs in the home folder", async () => {
  assert.equal((await run(node("console.log(process.cwd())"))).stdout.trim(), homedir());
});

test("a program that is not there is no exception", async () => {
  const outcome = await run(["/nowhere/at-all"]);
  assert.equal(outcome.status, undefined);
  assert.match(outcome.stderr, /ENOENT/);
});

test("a program that never reads its input breaks nothing", async () => {
  assert.equal((await run(node("process.exit(0)"), { input: "x".repeat(1_000_000) })).status, 0);
});

test("a program that is stopped has no status", async () => {
  const ending = new AbortController();
  const script = "console.error('up'); setInterval(() => {}, 1000)";
  const outcome = await run(node(script), { signal: ending.signal, onStderr: () => ending.abort() });
  assert.equal(outcome.status, undefined);
});

test("the last line that says something is found", () => {
  assert.equal(lastLine("one\n two \n\n"), "two");
  assert.equal(lastLine(""), "");
});

test("the check that failed is told, and not the last line of progress", () => {
  const stdout = "ok    reached           yes\nfail  key accepted      h refused the key: set K\nnote  key               none\n";
  assert.equal(failLine(stdout), "key accepted: h refused the key: set K");
  assert.equal(failLine("fail  a very long name of a check and its text"), "a very long name of a check and its text");
  assert.equal(failLine("ok    reached           yes, no fail\n"), "");
});
