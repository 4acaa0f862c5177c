import assert from "node:assert/strict";
import { test } from "node:test";

import { bestToDownload, describeModel, type Model, readModels, readPercent } from "../src/models";

const model = (name: string, change: Partial<Model> = {}): Model => ({
  name,
  here: false,
  fits: true,
  size_mb: 491,
  licence: "Apache-2.0",
  ...change,
});

test("rows that are none are left out", () => {
  assert.deepEqual(readModels(JSON.stringify([model("a"), null, {}, { ...model("b"), fits: 1 }])), [model("a")]);
});

for (const json of ["", "{}", "Error: nothing"]) {
  test(`no list is an empty one: ${json}`, () => assert.deepEqual(readModels(json), []));
}

test("the best that fits and is not here is offered", () => {
  const models = [model("demo"), model("small"), model("research", { fits: false }), model("large", { fits: false })];
  assert.equal(bestToDownload(models)?.name, "small");
  assert.equal(bestToDownload([model("demo"), model("small", { here: true })])?.name, "demo");
  assert.equal(bestToDownload([model("large", { fits: false })]), undefined);
});

test("a model is described by its size and licence", () => {
  assert.equal(describeModel(model("small")), "small (491 MB, Apache-2.0)");
  assert.equal(describeModel(model("good", { size_mb: 1117 })), "good (1.1 GB, Apache-2.0)");
});

test("a download's line tells how far it is", () => {
  assert.equal(readPercent("small: 49 of 490 MB"), 10);
  for (const line of ["small cannot be reached", "small: 49 of 0 MB", "measuring with 2 threads", ""])
    assert.equal(readPercent(line), undefined, line);
});
