import assert from "node:assert/strict";
import { test } from "node:test";

import type { Machine } from "../src/machine";
import { type Command, findServer, installation } from "../src/server";

const OWN = "/storage/server";

function machine(...programs: string[]): Machine {
  return {
    platform: "linux",
    env: { PATH: "/usr/bin" },
    home: "/u",
    isProgram: (each) => programs.includes(each),
  };
}

const always = (): Promise<boolean> => Promise.resolve(true);

test("the user's own server is taken before the one that was installed here", () => {
  const both = machine("/usr/bin/llm-lsp", `${OWN}/bin/llm-lsp`);
  assert.equal(findServer("", OWN, both), "/usr/bin/llm-lsp");
  assert.equal(findServer("", OWN, machine(`${OWN}/bin/llm-lsp`)), `${OWN}/bin/llm-lsp`);
});

test("a path that was given is taken or nothing is", () => {
  assert.equal(findServer("/x/llm-lsp", OWN, machine("/x/llm-lsp", "/usr/bin/llm-lsp")), "/x/llm-lsp");
  assert.equal(findServer("/x/llm-lsp", OWN, machine("/usr/bin/llm-lsp")), undefined);
});

test("uv installs it where there is one, with a Python of its own choice", async () => {
  assert.deepEqual(await installation(OWN, "llm-lsp", machine("/usr/bin/uv", "/usr/bin/python3"), always), [
    ["/usr/bin/uv", "venv", "--python", ">=3.11", OWN],
    ["/usr/bin/uv", "pip", "install", "--python", `${OWN}/bin/python`, "llm-lsp"],
  ]);
});

test("else the first Python that is new enough does", async () => {
  const asked: Command[] = [];
  const isNewer = (command: Command): Promise<boolean> => {
    asked.push(command);
    return Promise.resolve(command[0].endsWith("3.12"));
  };
  const steps = await installation(OWN, "llm-lsp", machine("/usr/bin/python3", "/usr/bin/python3.12"), isNewer);
  assert.deepEqual(steps?.[0], ["/usr/bin/python3.12", "-I", "-m", "venv", OWN]);
  assert.deepEqual(
    asked.map(([program]) => program),
    ["/usr/bin/python3", "/usr/bin/python3.12"],
  );
});

test("with neither there is no way", async () => {
  assert.equal(await installation(OWN, "llm-lsp", machine(), always), undefined);
});
