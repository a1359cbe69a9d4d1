"use strict";
// Handlers by what they show; each is compared with what AWS's client makes of it.

const later = (value, milliseconds = 1) => new Promise((resolve) => setTimeout(resolve, milliseconds, value));

class Odd extends Error {
  constructor(message) {
    super(message);
    this.name = "Odd\x7f\nName";
    this.code = "E_ODD";
    this.detail = { deep: [1, { two: 2 }] };
  }
}

const cyclic = {};
cyclic.self = cyclic;

const CASES = {
  answerText: async () => "text é 😀 \u2028",
  answerNothing: async () => undefined,
  answerNull: () => null,
  answerFunction: async () => () => 1,
  answerDate: async () => new Date(0),
  answerNested: async () => ({ a: [1, undefined, NaN, { b: new Map([[1, 2]]) }], c: undefined }),
  answerToJson: async () => ({ toJSON: () => "mine" }),
  answerSurrogate: async () => "\ud800",
  answerLate: () => later({ late: true }, 5),
  answerThenable: () => ({ then: (resolve) => resolve("thenable") }),
  answerLarge: async () => "x".repeat(300000),
  answerEvent: async (event) => event,
  answerMain: async () => [require.main === undefined, module.parent === undefined, Object.keys(require.cache).pop()],
  answerGlobals: async () => [typeof awslambda.streamifyResponse, typeof awslambda.HttpResponseStream.from, typeof gc],
  failError: async () => {
    throw new Error("no such luck é");
  },
  failSynchronously: () => {
    throw new TypeError("at once");
  },
  failOdd: async () => {
    throw new Odd("odd\x7f message\nsecond line");
  },
  failText: async () => {
    throw "only text";
  },
  failNumber: () => Promise.reject(42),
  failObject: () => Promise.reject({ code: 7 }),
  failNothing: () => Promise.reject(undefined),
  failNull: () => Promise.reject(null),
  failCyclic: async () => {
    const error = new Error("cyclic");
    error.self = error;
    throw error;
  },
  failCause: async () => {
    throw new Error("outer", { cause: new RangeError("inner") });
  },
  failWithoutStack: async () => {
    const error = new Error("no stack");
    error.stack = undefined;
    throw error;
  },
  failToSerialise: async () => cyclic,
  failBigInt: async () => ({ big: 1n }),
  showContext: async (event, context) => ({
    context,
    members: Object.keys(context).sort(),
    remaining: context.getRemainingTimeInMillis() > 1e9,
    trace: process.env._X_AMZN_TRACE_ID,
  }),
  showEnvironment: async () => [
    process.env._LAMBDA_TELEMETRY_LOG_FD,
    process.env._HANDLER,
    process.argv.length,
    process.cwd() === process.env.LAMBDA_TASK_ROOT,
  ],
  logLevels: async () => {
    console.trace("trace", 1);
    console.debug("debug %s", "shown", { a: { b: { c: { d: 1 } } } });
    console.info("info %d %j", 3, { j: 1 });
    console.log("log");
    console.warn("warn");
    console.error("error", [1, 2]);
    console.fatal("fatal");
  },
  logLines: async () => {
    console.log("first\nsecond\r\nthird");
    console.log();
    console.log("");
    console.log("é 😀 %");
    console.log(undefined);
    console.log(null, undefined);
  },
  logObjects: async () => {
    console.log({ a: 1, nested: { list: [1, 2, 3] } });
    console.log(cyclic);
    console.log(1n);
    console.log([new Error("in a list")].length, Symbol("s"));
    console.log(new Date(0));
  },
  logErrors: async () => {
    console.error(new Odd("logged alone"));
    console.error("with text", new RangeError("logged beside"), new Error("not this one"));
    console.error({ wrapped: new TypeError("inside") });
  },
  logOddErrors: async () => {
    const circular = new Error("circular");
    circular.self = circular;
    const bare = new Error("no stack");
    delete bare.stack;
    const strange = new Error("stack of another kind");
    strange.stack = 5;
    const nameless = new (class extends Error {})("of a nameless class");
    const imitation = { name: "Error", message: "looks like one", stack: "Error: looks like one" };
    for (const error of [circular, bare, strange, nameless, imitation, Object.create(Error.prototype)]) {
      console.error(error);
      console.error("beside", error);
      console.error({ error });
    }
    console.error(new Error("with a cause", { cause: new RangeError("the cause") }));
    console.error(new AggregateError([new Error("one"), new TypeError("two")], "several"));
    console.error(Object.assign(new Error("replaced"), { message: "by a member", errorType: "mine", stackTrace: 1 }));
    console.warn("no error", { a: 1 }, null, undefined);
    console.error("first text", "second text", new Odd("third"));
    console.error(new Odd("first"), new Odd("second"));
  },
  logOddValues: async () => {
    for (const value of [
      true, 0, -0, NaN, Infinity, "", "%s", "a\tb\"c\\d", Symbol.iterator, () => 1, function named() {}, class A {}, [],
      [[[[[5]]]]], new Map([[1, { a: 1 }]]), new Set([1]), new Uint8Array(3), Buffer.from("x"), /x/g,
      Object.create(null), { toJSON: () => "mine" }, { toJSON() { throw new Error("no"); } }, { a: undefined, f() {} },
      { deep: { deeper: { deepest: { end: 1 } } } }, { big: 1n }, { date: new Date(0) }, new (class Point { x = 1; })(),
      { get a() { return 1; } }, Promise.resolve(1), new Error("e").message, { level: "mine", timestamp: "mine", message: "m" },
    ]) {
      console.log(value);
      console.log("beside", value);
    }
    console.log("%s %i %f %o %O %c %% %j", "s", 1.5, 2.5, { o: 1 }, { O: [] }, "css", { j: 1 }, "more", { m: 1 });
    console.log("x".repeat(3000));
  },
  logOtherMethods: async () => {
    console.table([{ a: 1 }]);
    console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
    console.count();
    console.assert(true, "not shown");
    console.assert(false, "shown");
    console.group("group");
    console.info("inside");
    console.groupEnd();
    const { log, error } = console;
    log("taken apart");
    error.call(null, "called");
    return Object.keys(console).sort();
  },
  writeRaw: async () => {
    process.stdout.write("raw line\n");
    process.stderr.write("to stderr\n");
  },
};

exports.NAMES = Object.keys(CASES);
exports.run = (event, context) => CASES[event.case](event, context);
exports.nested = { deeper: { handler: async () => "nested" } };

// -- with callbacks --

const CALLBACKS = {
  answer: (event, context, callback) => callback(null, { answered: true }),
  answerLate: (event, context, callback) => setTimeout(callback, 5, null, "late"),
  answerNothing: (event, context, callback) => callback(),
  answerTwice: (event, context, callback) => {
    callback(null, 1);
    callback(null, 2);
    context.done(null, 3);
  },
  fail: (event, context, callback) => callback(new Error("by callback")),
  failText: (event, context, callback) => callback("text"),
  waits: (event, context, callback) => {
    setTimeout(() => console.log("after the callback"), 20);
    callback(null, "waited");
  },
  doesNotWait: (event, context, callback) => {
    context.callbackWaitsForEmptyEventLoop = false;
    const timer = setTimeout(() => console.log("never seen"), 20000);
    timer.unref();
    callback(null, [context.callbackWaitsForEmptyEventLoop]);
  },
  neither: () => undefined,
  neitherButLater: () => {
    setTimeout(() => console.log("worked on"), 10);
  },
  neverSettles: () => new Promise(() => undefined),
  done: (event, context) => context.done(null, "done"),
  doneWithError: (event, context) => context.done(new TypeError("done with")),
  succeed: (event, context) => context.succeed({ succeeded: 1 }),
  fail2: (event, context) => context.fail("failed by context"),
  failWithout: (event, context) => context.fail(),
  succeedCyclic: (event, context) => context.succeed(cyclic),
  throwNull: () => {
    throw null;
  },
};

exports.CALLBACK_NAMES = Object.keys(CALLBACKS);
exports.runCallback = (event, context, callback) => CALLBACKS[event.case](event, context, callback);
