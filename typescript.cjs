/**
 * Compiles TypeScript as it is loaded: `node --require ./typescript.cjs FILE`. tsx looks into the JavaScript of dependencies,
 * too, to load ECMAScript modules where Node.js could not (github.com/privatenumber/tsx/pull/365). Here Node.js can, and
 * loads Pulumi's SDK in half the time.
 */
const Module = require("node:module");

const node = { resolve: Module._resolveFilename, load: Module._extensions[".js"] };
require("tsx/cjs");
const tsx = { resolve: Module._resolveFilename, load: Module._extensions[".js"] };

const isDependency = (file) => /[\\/]node_modules[\\/].*\.[cm]?js$/.test(file);

Module._resolveFilename = function (request, parent, ...rest) {
  const { resolve } = isDependency(parent?.filename ?? "") ? node : tsx;
  return resolve.call(this, request, parent, ...rest);
};

Module._extensions[".js"] = (module, file) => {
  const { load } = isDependency(file) ? node : tsx;
  load(module, file);
};
