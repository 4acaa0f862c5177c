import assert from "node:assert/strict";
import { test } from "node:test";

import { findProgram, inEnvironment, type Machine } from "../src/machine";

/** Describe a machine by its programs. */
function machine(programs: string[], path = "/usr/bin:/opt/bin"): Machine {
  return { platform: "linux", env: { PATH: path }, home: "/u", isProgram: (each) => programs.includes(each) };
}

test("the first on the PATH is taken", () => {
  assert.equal(findProgram("uv", machine(["/opt/bin/uv", "/usr/bin/uv"])), "/usr/bin/uv");
});

test("where pipx and uv put theirs is looked at without a PATH", () => {
  assert.equal(findProgram("llm-lsp", machine(["/u/.local/bin/llm-lsp"], "")), "/u/.local/bin/llm-lsp");
});

test("a relative entry of the PATH is never looked at: it would be the folder that is open", () => {
  assert.equal(findProgram("uv", machine(["./uv", "uv", "bin/uv"], ".:bin:")), undefined);
});

test("on Windows a program is an .exe, its PATH has another name and another mark", () => {
  const windows: Machine = {
    platform: "win32",
    env: { Path: "C:\\a;D:\\b" },
    home: "C:\\u",
    isProgram: (path) => path === "D:\\b\\uv.exe",
  };
  assert.equal(findProgram("uv", windows), "D:\\b\\uv.exe");
  assert.equal(inEnvironment("C:\\env", "python", windows), "C:\\env\\Scripts\\python.exe");
});
