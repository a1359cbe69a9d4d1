"use strict";
/*
 * ES modules find packages in the directories of NODE_PATH, as they do in AWS's Node.js from 18 on: in layers, and the
 * SDK in the runtime's own directory. Node.js itself searches there for require() only.
 *
 * Before 22.15 Node.js runs such hooks in a thread of their own, which loads this file too: 35 ms and 14 MB, spent
 * only on ES modules that have anything to find there.
 */

const fs = require("fs");
const Module = require("module");
const path = require("path");
const { pathToFileURL } = require("url");

const FIRST_ON_AWS = 18;
const NOT_FOUND = "ERR_MODULE_NOT_FOUND";
const BARE = /^(?![./#]|[A-Za-z][A-Za-z\d+.-]*:)/;

let isSearching = false;

/** Search NODE_PATH too, from the next import on, if there is anything. */
function searchNodePath() {
  const bases = isSearching || parseInt(process.versions.node, 10) < FIRST_ON_AWS ? [] : existingBases(process.env);
  if (bases.length === 0) {
    return;
  }
  if (Module.registerHooks) {
    isSearching = true;
    Module.registerHooks({ resolve: (specifier, context, next) => resolveSync(bases, specifier, context, next) });
  } else if (Module.register) {
    isSearching = true;
    Module.register(pathToFileURL(__filename), { data: bases });
  }
}

/** What imports are resolved against: where packages would be found beside such a file. */
function existingBases({ NODE_PATH = "" }) {
  return NODE_PATH.split(path.delimiter)
    .filter((directory) => path.basename(directory) === "node_modules" && fs.existsSync(directory))
    .map((directory) => pathToFileURL(directory).href);
}

function isSearched(specifier, error) {
  return error?.code === NOT_FOUND && BARE.test(specifier);
}

function resolveSync(bases, specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    for (const parentURL of isSearched(specifier, error) ? bases : []) {
      try {
        return next(specifier, { ...context, parentURL });
      } catch (another) {
        if (another?.code !== NOT_FOUND) {
          throw another;
        }
      }
    }
    throw error;
  }
}

// -- in the thread for hooks --

let basesOfThread = [];

function initialize(bases) {
  basesOfThread = bases;
}

async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    for (const parentURL of isSearched(specifier, error) ? basesOfThread : []) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch (another) {
        if (another?.code !== NOT_FOUND) {
          throw another;
        }
      }
    }
    throw error;
  }
}

module.exports = { searchNodePath, initialize, resolve };
