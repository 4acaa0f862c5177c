import assert from "node:assert/strict";
import { test } from "node:test";

import { isLeftToEditor, keepKey, type KeptKey, keptKeys, type Secrets } from "../src/keys";

class MemorySecrets implements Secrets {
  readonly kept = new Map<string, string>();
  async get(name: string): Promise<string | undefined> {
    return this.kept.get(name);
  }
  async store(name: string, value: string): Promise<void> {
    this.kept.set(name, value);
  }
}

const KEY: KeptKey = { provider: "mine", address: "https://h.example/v1", key: "sk-1" };

test("a key takes the place of an earlier one of its provider", async () => {
  const secrets = new MemorySecrets();
  await keepKey(secrets, KEY);
  await keepKey(secrets, { ...KEY, provider: "other" });
  await keepKey(secrets, { ...KEY, key: "sk-2" });
  assert.deepEqual(await keptKeys(secrets), [
    { ...KEY, provider: "other" },
    { ...KEY, key: "sk-2" },
  ]);
});

for (const text of ["", "no JSON", "{}", "[null, {}]"]) {
  test(`what is not what it should be holds no keys: ${text}`, async () => {
    const secrets = new MemorySecrets();
    await secrets.store("llm-lsp.keys", text);
    assert.deepEqual(await keptKeys(secrets), []);
  });
}

test("the program says where it leaves a key to the editor", () => {
  assert.ok(isLeftToEditor("this system has no keyring: the editor keeps the key\n"));
  assert.ok(!isLeftToEditor("config.toml: mine is enabled\n"));
});
