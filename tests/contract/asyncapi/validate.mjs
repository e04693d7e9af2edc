// Parses one AsyncAPI document and prints every diagnostic; status 1 when one of them is an error.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const severities = ["error", "warning", "information", "hint"];
const path = process.argv[2];
const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf-8"), { source: path });

for (const { severity, path: where, message, code } of diagnostics) {
  console.log(`${severities[severity]} ${code} ${where.join(".")}: ${message}`);
}
const broken = document === undefined || diagnostics.some(({ severity }) => severity === 0);
if (!broken) {
  console.log(`${document.channels().length} channels, ${document.operations().length} operations`);
}
process.exit(broken ? 1 : 0);
