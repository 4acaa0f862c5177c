import assert from "node:assert/strict";
import { test } from "node:test";

import { addCommand, addressFault, isLoopback, nameFault, readProviders } from "../src/providers";

const ROW = { name: "mine", state: "enabled", api: "openai-chat", address: "https://a.example", model: "m", key: "" };

test("rows that are none are left out", () => {
  assert.deepEqual(readProviders(JSON.stringify([ROW, null, {}, { name: 1 }])), [ROW]);
});

for (const json of ["", "{}", "null", "Error: nothing"]) {
  test(`no list is an empty one: ${json}`, () => assert.deepEqual(readProviders(json), []));
}

test("a preset needs its name alone", () => {
  assert.deepEqual(addCommand("llm-lsp", { name: "codestral" }), [
    "llm-lsp",
    "provider",
    "add",
    "--kept-by-editor",
    "--use",
    "--",
    "codestral",
  ]);
});

test("another address is given with its API and model", () => {
  const command = addCommand("llm-lsp", { name: "mine", address: "http://h:1/v1", model: "m" });
  assert.equal(
    command.join(" "),
    "llm-lsp provider add --api openai-completions --base-url http://h:1/v1 --model m --kept-by-editor --use -- mine",
  );
});

test("an option is no name", () => {
  assert.equal(nameFault("mine-2.0"), undefined);
  for (const name of ["", "--use", "a b", "a/b"]) assert.ok(nameFault(name), name);
});

test("an address holds no password and is no file", () => {
  for (const good of ["https://a.example/v1", "http://127.0.0.1:8080"]) assert.equal(addressFault(good), undefined);
  for (const bad of ["", "a.example", "file:///x", "https://u:p@a.example"]) assert.ok(addressFault(bad), bad);
});

test("only this machine is this machine", () => {
  for (const here of ["http://127.0.0.1:1/v1", "http://localhost", "http://[::1]:2"]) assert.ok(isLoopback(here), here);
  for (const other of ["https://127.0.0.1.example", "http://localhost.example", ""])
    assert.ok(!isLoopback(other), other);
});
