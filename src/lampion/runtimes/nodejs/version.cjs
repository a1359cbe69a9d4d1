"use strict";
/* Of which major version of Node.js the function's runtime is: the program's own, unless it only stands in for another. */

const OPTION = "--as=";
const told = process.argv.find((argument) => argument.startsWith(OPTION));

const MAJOR = parseInt(told === undefined ? process.versions.node : told.slice(OPTION.length), 10);

module.exports = { MAJOR };
