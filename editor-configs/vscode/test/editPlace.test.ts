import assert from "node:assert/strict";
import { test } from "node:test";

import { type LineEdit, moved, oldText } from "../src/editPlace";

const EDIT: LineEdit = { line: 3, before: "  sum(", after: ")", old: "cart", new: "basket" };

test("an edit is found while its text is typed or deleted, and not after something else was", () => {
  for (const text of ["cart", "bcart", "bask", "baskt", "", "art"]) assert.equal(oldText(EDIT, `  sum(${text})`), text);
  for (const line of ["  sum(basket)", "  sum(x)", "  total(cart)", "  sum(cart);", "  sum("])
    assert.equal(oldText(EDIT, line), undefined);
});

test("an edit moves with the lines above it, and stays with those below", () => {
  assert.equal(moved(EDIT, { startLine: 0, endLine: 0, text: "a\nb\n" }).line, 5);
  assert.equal(moved(EDIT, { startLine: 0, endLine: 2, text: "" }).line, 1);
  assert.equal(moved(EDIT, { startLine: 3, endLine: 3, text: "x" }).line, 3);
  assert.equal(moved(EDIT, { startLine: 4, endLine: 9, text: "" }).line, 3);
});
