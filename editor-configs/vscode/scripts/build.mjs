// Bundles the extension into one file, or with `test` the unit tests, which never import `vscode`.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const common = { bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "warning" };

/** Write the licences of everything in the bundle, which they require; fails if a package has none. */
function writeNotices({ inputs }) {
  const folders = Object.keys(inputs).flatMap((path) => path.match(/^node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []);
  const notices = [...new Set(folders)].sort().map((folder) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    if (!file) throw new Error(`${folder} has no licence`);
    return `${folder.replace("node_modules/", "")}\n\n${readFileSync(`${folder}/${file}`, "utf8")}`;
  });
  writeFileSync("out/notices.txt", notices.join("\n\n----\n\n"));
}

if (process.argv[2] === "test") {
  const entryPoints = readdirSync("test").map((name) => `test/${name}`);
  await build({ ...common, entryPoints, outdir: "out/test" });
} else {
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "out/extension.js",
    external: ["vscode"],
    minify: true,
    metafile: true,
  });
  writeNotices(metafile);
  copyFileSync("../../LICENSE", "LICENSE"); // one licence for both; the package must hold it
}
