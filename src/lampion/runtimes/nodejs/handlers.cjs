"use strict";
/* Finds and loads the function that a handler string names, as `file.function` or `directory/file.function`. */

const fs = require("fs");
const { createRequire } = require("module");
const path = require("path");

const { STREAMING } = require("./environment.cjs");
const { searchNodePath } = require("./modules.cjs");
const {
  HAS_PROMISES_ONLY,
  HandlerNotFound,
  ImportModuleError,
  MalformedHandlerName,
  MalformedStreamingHandler,
  UserCodeSyntaxError,
} = require("./errors.cjs");

// The function's modules are required by a module of this name, which shows in "Require stack" as it does on AWS.
const requireForFunction = createRequire(path.join(__dirname, "index.mjs"));

/** What `handler` names under `root`, found with `loadModule` and `findIn`. Throws what is posted as the failure. */
async function loadHandler(root, handler, { loadModule, findIn }) {
  const { directory, module, name } = parts(handler);
  const loaded = await loadAsFunction(() => loadModule(root, directory, module));
  const found = findIn(loaded, name);
  if (!found) {
    throw new HandlerNotFound(`${handler} is undefined or not exported`);
  }
  if (typeof found !== "function") {
    throw new HandlerNotFound(`${handler} is not a function`);
  }
  checkStreaming(found);
  return found;
}

function parts(handler) {
  if (handler.includes("..")) {
    throw new MalformedHandlerName(
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(handler);
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (match === null) {
    throw new MalformedHandlerName("Bad handler");
  }
  return { directory: handler.substring(0, handler.indexOf(base)), module: match[1], name: match[2] };
}

async function loadAsFunction(load) {
  try {
    return await load();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UserCodeSyntaxError(error);
    }
    if ((!HAS_PROMISES_ONLY || error instanceof Error) && error.code === "MODULE_NOT_FOUND") {
      throw new ImportModuleError(error);
    }
    throw error;
  }
}

/** `awslambda.streamifyResponse` marks handlers; so may anybody, but with nothing else. */
function checkStreaming(handler) {
  if (!handler[STREAMING]) {
    return;
  }
  if (handler[STREAMING] !== "response") {
    throw new MalformedStreamingHandler("Only response streaming is supported.");
  }
  require("http"); // now, so that the first invocation needn't wait for it
}

/** Up to Node.js 22: CommonJS first, ES modules where the file's name or its package.json says so. */
async function requireFirst(root, directory, module) {
  const file = path.resolve(root, directory, module);
  const plain = requireFile(file);
  if (plain) {
    return plain;
  }
  const isModule = fs.existsSync(`${file}.js`) && hasTypeModule(path.dirname(file));
  const loaded =
    (isModule ? await importFile(`${file}.js`) : requireFile(`${file}.js`)) ||
    (await importFile(`${file}.mjs`)) ||
    requireFile(`${file}.cjs`);
  return loaded || requireForFunction(requireForFunction.resolve(module, { paths: [root, directory] }));
}

/** From Node.js 24 on: everything by import(), which tells the kinds of modules apart by itself. */
async function importFirst(root, directory, module) {
  const file = path.resolve(root, directory, module);
  for (const extension of ["", ".js", ".mjs", ".cjs"]) {
    const loaded = await importFile(file + extension);
    if (loaded) {
      return loaded;
    }
  }
  const paths = [root, path.join(root, directory.replace(/\/$/, ""))];
  return requireForFunction(requireForFunction.resolve(module, { paths }));
}

function requireFile(file) {
  return fs.existsSync(file) ? requireForFunction(file) : undefined;
}

async function importFile(file) {
  if (!fs.existsSync(file)) {
    return undefined;
  }
  if (!file.startsWith(`${__dirname}/`)) {
    searchNodePath(); // not in a rehearsal: what it would find isn't the function's
  }
  return import(file);
}

/** What the nearest package.json says; one that can't be read counts as none, with a warning. */
function hasTypeModule(directory) {
  if (directory.endsWith("/node_modules")) {
    return false;
  }
  const file = path.join(directory, "package.json");
  if (fs.existsSync(file)) {
    try {
      const described = JSON.parse(fs.readFileSync(file, "utf8"));
      if (described) {
        return described.type === "module";
      }
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return directory !== "/" && hasTypeModule(path.dirname(directory));
}

module.exports = { loadHandler, requireFirst, importFirst };
