import assert from "node:assert/strict";
import { test } from "node:test";

import { explicitSettings, type Inspection, serverKeys } from "../src/settings";

const KEYS = ["enabled", "completion.debounceMs", "completion.menu"];

function settings(said: Record<string, Inspection>, isTrusted = true): unknown {
  return explicitSettings(KEYS, (key) => said[key], isTrusted);
}

test("a setting that nobody set is not sent", () => {
  assert.deepEqual(settings({ enabled: {} }), { user: {}, workspace: {} });
});

test("settings are sent as nested tables", () => {
  const said = { "completion.debounceMs": { globalValue: 0 }, "completion.menu": { globalValue: "never" } };
  assert.deepEqual(settings(said), { user: { completion: { debounceMs: 0, menu: "never" } }, workspace: {} });
});

test("the user's and the workspace's are sent apart, and of the workspace's the nearest", () => {
  const user = { globalValue: 1 };
  const workspace = { ...user, workspaceValue: 2 };
  const folder = { ...workspace, workspaceFolderValue: 3 };
  const sent = [user, workspace, folder].map((each) => settings({ "completion.debounceMs": each }));
  const mine = { completion: { debounceMs: 1 } };
  assert.deepEqual(sent, [
    { user: mine, workspace: {} },
    { user: mine, workspace: { completion: { debounceMs: 2 } } },
    { user: mine, workspace: { completion: { debounceMs: 3 } } },
  ]);
});

test("false is a value", () => {
  assert.deepEqual(settings({ enabled: { globalValue: true, workspaceValue: false } }), {
    user: { enabled: true },
    workspace: { enabled: false },
  });
});

test("a workspace that is not trusted says nothing", () => {
  const said = { enabled: { globalValue: false, workspaceValue: true, workspaceFolderValue: true } };
  assert.deepEqual(settings(said, false), { user: { enabled: false }, workspace: {} });
});

test("the server hears nothing of what only the extension reads", () => {
  const groups = [
    { properties: { "llm-lsp.enabled": {}, "llm-lsp.local.model": {} } },
    { properties: { "llm-lsp.server.path": {}, "llm-lsp.offerToLeaveOne": {} } },
  ];
  assert.deepEqual(serverKeys(groups), ["enabled", "local.model"]);
});
