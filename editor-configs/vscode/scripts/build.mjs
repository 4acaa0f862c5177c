// Bundles the extension into one file, or with `test` the unit tests, which never import `vscode`.
import { copyFileSync, readdirSync } from "node:fs";
import { build } from "esbuild";

const common = { bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "warning" };

if (process.argv[2] === "test") {
  const entryPoints = readdirSync("test").map((name) => `test/${name}`);
  await build({ ...common, entryPoints, outdir: "out/test" });
} else {
  await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "out/extension.js",
    external: ["vscode"],
    minify: true,
  });
  copyFileSync("../../LICENSE", "LICENSE"); // one licence for both; the package must hold it
}
