import assert from "node:assert/strict";
import { test } from "node:test";

import { findRival } from "../src/rivals";

const COPILOT = "github.copilot";

function find(id: string, settings: Record<string, unknown> = {}): string | undefined {
  return findRival(
    (each) => each === id,
    (name) => settings[name],
  )?.name;
}

test("an extension that shows suggestions too is seen", () => {
  assert.equal(find(COPILOT), "GitHub Copilot");
  assert.equal(find("supermaven.supermaven"), "Supermaven");
});

test("another extension is none", () => assert.equal(find("ms-python.python"), undefined));

test("one that is switched off is in nobody's way", () => {
  assert.equal(find(COPILOT, { "github.copilot.enable": { "*": false, markdown: true } }), undefined);
  assert.equal(find(COPILOT, { "github.copilot.enable": { "*": true } }), "GitHub Copilot");
  assert.equal(find("continue.continue", { "continue.enableTabAutocomplete": false }), undefined);
});
