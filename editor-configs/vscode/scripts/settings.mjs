// Writes the settings of package.json from the schema on standard input:
//   llm-lsp config schema | npm run settings
import { readFileSync, writeFileSync } from "node:fs";

// Settings that only this extension reads. "machine": a workspace cannot set it.
const OWN = {
  "llm-lsp.server.path": {
    type: "string",
    default: "",
    scope: "machine",
    markdownDescription:
      "Path of the `llm-lsp` program. Empty: the one on your `PATH`, in `~/.local/bin`, or installed by this extension.",
  },
  "llm-lsp.server.package": {
    type: "string",
    default: "llm-lsp[local]",
    scope: "machine",
    markdownDescription:
      "What “Install the server” installs, in pip’s notation: a package, a version (`llm-lsp==0.1.0`), or the path of a wheel. `[local]` adds support for models on this machine.",
  },
  "llm-lsp.server.logLevel": {
    type: "string",
    enum: ["debug", "info", "warning", "error"],
    default: "warning",
    scope: "machine",
    description: "How much the server logs. The log never contains keys or your code.",
  },
  "llm-lsp.offerToLeaveOne": {
    type: "boolean",
    default: true,
    scope: "application",
    description: "Offer to switch off the suggestions of another AI completion extension.",
  },
};

/** Defaults of settings without one in the schema: tables named by users, and lists of tables. */
const EMPTY = { object: {}, array: [] };

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** Yield each setting of a table with its dotted name; tables named by users stay whole. */
function* leaves(table, path) {
  for (const [name, property] of Object.entries(table.properties)) {
    const key = `${path}.${camel(name)}`;
    if (property.properties) yield* leaves(property, key);
    else yield [key, property];
  }
}

function setting([key, property]) {
  const more = {
    // The settings page shows a list of choices only for settings with type string.
    ...(property.enum ? { type: "string" } : {}),
    // A workspace must not set addresses.
    scope: key === "llm-lsp.providers" ? "machine" : "window",
    default: property.default ?? EMPTY[property.type],
  };
  const { description, ...rest } = { ...property, ...more };
  return [key, { ...rest, markdownDescription: description }];
}

const schema = JSON.parse(readFileSync(0, "utf8"));
const groups = new Map([["", []]]);
for (const leaf of leaves(schema, "llm-lsp")) {
  const group = leaf[0].split(".").slice(1, -1).join(".");
  groups.set(group, [...(groups.get(group) ?? []), setting(leaf)]);
}
const title = (group) => (group ? group[0].toUpperCase() + group.slice(1) : "General");
const configuration = [
  ...[...groups].map(([group, settings]) => ({ title: title(group), properties: Object.fromEntries(settings) })),
  { title: "Server", properties: OWN },
];

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
manifest.contributes.configuration = configuration;
manifest.capabilities.untrustedWorkspaces.restrictedConfigurations = configuration.flatMap((group) =>
  Object.keys(group.properties),
);
writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
