import assert from "node:assert/strict";
import { test } from "node:test";

import { faceOf, readStatus, STARTING, type Status } from "../src/status";

const READY: Status = { ...STARTING, busy: false, message: "", provider: "mine", model: "org/coder-7b" };

test("what the server leaves out stays as it was, but not its message", () => {
  const status = readStatus({ kind: "Warning", busy: false }, { ...READY, message: "old", spentToday: "1.00 USD" });
  assert.deepEqual(status, { ...READY, kind: "Warning", spentToday: "1.00 USD" });
});

for (const params of [undefined, null, 3, "Error", [], { kind: 7, busy: "yes", model: {}, spentToday: 3 }]) {
  test(`a status of another shape changes nothing: ${JSON.stringify(params)}`, () => {
    assert.deepEqual(readStatus(params, READY), READY);
  });
}

for (const [change, text, severity] of [
  [{}, "$(sparkle) coder-7b", "normal"],
  [{ busy: true }, "$(loading~spin) coder-7b", "normal"],
  [{ spentToday: "0.12 USD" }, "$(sparkle) coder-7b · 0.12 USD", "normal"],
  [{ kind: "Inactive" }, "$(circle-slash) coder-7b", "normal"],
  [{ kind: "Error", busy: true }, "$(error) coder-7b", "error"],
  [{ kind: "Warning", model: "" }, "$(warning) mine", "warning"],
  [{ model: "", provider: "" }, "$(sparkle) llm-lsp", "normal"],
  [{ model: "a".repeat(40) }, `$(sparkle) ${"a".repeat(27)}…`, "normal"],
] as const) {
  test(`the status bar shows ${text}`, () => {
    const face = faceOf({ ...READY, ...change });
    assert.deepEqual([face.text, face.severity], [text, severity]);
  });
}

test("the tooltip says it whole", () => {
  const face = faceOf({ ...READY, message: "the key was refused", spentToday: "0.12 USD" });
  assert.equal(face.tooltip, "llm-lsp: the key was refused\nModel: org/coder-7b (mine)\nSpent today: 0.12 USD");
});
