import assert from "node:assert/strict";
import { test } from "node:test";

import { explicitSettings, type Inspection, serverKeys } from "../src/settings";

const KEYS = ["enabled", "completion.debounceMs", "completion.menu"];

function settings(said: Record<string, Inspection>, isTrusted = true): unknown {
  return explicitSettings(KEYS, (key) => said[key], isTrusted);
}

test("a setting that nobody set is not sent", () => {
  assert.deepEqual(settings({ enabled: {} }), {});
});

test("settings are sent as nested tables", () => {
  const said = { "completion.debounceMs": { globalValue: 0 }, "completion.menu": { globalValue: "never" } };
  assert.deepEqual(settings(said), { completion: { debounceMs: 0, menu: "never" } });
});

test("the nearest one wins", () => {
  const user = { globalValue: 1 };
  const workspace = { ...user, workspaceValue: 2 };
  const folder = { ...workspace, workspaceFolderValue: 3 };
  const sent = [user, workspace, folder].map((each) => settings({ "completion.debounceMs": each }));
  assert.deepEqual(
    sent,
    [1, 2, 3].map((debounceMs) => ({ completion: { debounceMs } })),
  );
});

test("false is a value", () => {
  assert.deepEqual(settings({ enabled: { globalValue: true, workspaceValue: false } }), { enabled: false });
});

test("a workspace that is not trusted says nothing", () => {
  const said = { enabled: { globalValue: false, workspaceValue: true, workspaceFolderValue: true } };
  assert.deepEqual(settings(said, false), { enabled: false });
});

test("the server hears nothing of what only the extension reads", () => {
  const groups = [
    { properties: { "llm-lsp.enabled": {}, "llm-lsp.local.model": {} } },
    { properties: { "llm-lsp.server.path": {}, "llm-lsp.offerToLeaveOne": {} } },
  ];
  assert.deepEqual(serverKeys(groups), ["enabled", "local.model"]);
});
