// GitHub's own language service and expression evaluator: one JSON request a line on stdin, one
// answer a line on stdout. Runs in the folder that holds node_modules; the only argument is the
// repository whose actions answer for gen-workflow/gen-workflow.
import { readFileSync, existsSync } from "node:fs";
import { register } from "node:module";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";

// The packages import JSON without saying that it is JSON, which Node refuses. And for each expression
// the service makes anew what all events of a workflow bring, which is nine tenths of its time: here
// it makes that once.
const hook = `
const json = { importAttributes: { type: "json" } };
const made = [
  ["/context-providers/github.js", "getEventContext", "workflowContext?.template?.events ?? {}"],
  ["/expression-validation/error-dictionary.js", "wrapDictionary", "d"],
];
const once = (source, name, of) =>
  source.replace(new RegExp("(export )?function " + name + "[(](.*?)[)] {"), (head, exported, names) =>
    "const known = new WeakMap();" + (exported ?? "") + "function " + name + "(" + names + ") {" +
    "const of = " + of + "; if (!known.has(of)) known.set(of, made(" + names + "));" +
    "return known.get(of); } function made(" + names + ") {");
export const resolve = async (name, context, next) =>
  name.endsWith(".json") ? { ...(await next(name, { ...context, ...json })), ...json } : next(name, context);
export const load = async (url, context, next) => {
  if (url.endsWith(".json")) return next(url, { ...context, format: "json", ...json });
  const found = await next(url, context);
  const [, name, of] = made.find(([end]) => url.endsWith(end)) ?? [];
  return name ? { ...found, source: once(String(found.source), name, of) } : found;
};
`;
register("data:text/javascript," + encodeURIComponent(hook));

const { validate } = await import("@actions/languageservice");
const { registerLogger } = await import("@actions/languageservice/log");
const { data, Evaluator, FeatureFlags, Lexer, Parser } = await import("@actions/expressions");
const { TextDocument } = await import("vscode-languageserver-textdocument");
const { default: YAML } = await import("yaml");

const root = process.argv[process.argv.length - 1];
const ours = "gen-workflow/gen-workflow";

const read = new Map();

function metadata(file) {
  if (!read.has(file)) read.set(file, existsSync(file) ? YAML.parse(readFileSync(file, "utf8")) : undefined);
  return read.get(file);
}

const actionsMetadataProvider = {
  async fetchActionMetadata({ owner, name, path }) {
    // Of other people's actions the inputs are not known, so any are right.
    if (`${owner}/${name}` !== ours) return { name, description: "" };
    return metadata(join(root, path ?? "", "action.yml"));
  },
};
const fileProvider = {
  async getFileContent({ owner, repository, path }) {
    // The central workflow that a case calls is what another case renders.
    const central = `${owner}/${repository}` === "example/workflows";
    const file = central ? join("tests/cases/mode-central", basename(path)) : path;
    return { name: path, content: readFileSync(join(root, file), "utf8") };
  },
};

// An error inside of the service is only logged, and must not pass for a clean document.
const failures = [];
const ignore = () => {};
registerLogger({ error: (text) => failures.push(text), warn: ignore, info: ignore, log: ignore });

let asked = 0;

async function problems({ path, text }) {
  // The service remembers what it parsed by its address, so each document gets its own.
  asked += 1;
  const document = TextDocument.create(`file:///${asked}/${path}`, "yaml", 1, text);
  const featureFlags = new FeatureFlags({ allowCaseFunction: true });
  const found = await validate(document, { actionsMetadataProvider, fileProvider, featureFlags });
  const lines = found.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
  return [...lines, ...failures.splice(0)];
}

function toData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const pairs = Object.entries(value).map(([key, each]) => ({ key, value: toData(each) }));
  return new data.Dictionary(...pairs);
}

function evaluate({ template, contexts }) {
  return template.replace(/\$\{\{(.*?)\}\}/gs, (_, source) => {
    const { tokens } = new Lexer(source.trim()).lex();
    const tree = new Parser(tokens, Object.keys(contexts), []).parse();
    return new Evaluator(tree, toData(contexts)).evaluate().coerceString();
  });
}

const answers = { problems, evaluate };
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { result: await answers[request.ask](request) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
