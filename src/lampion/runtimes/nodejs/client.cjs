"use strict";
/*
 * The Runtime API (2018-06-01) over one keep-alive connection; an answer and the next request leave in one write.
 *
 * A Runtime API that offers it gets both in one request, which halves the work on either side. The connection keeps the
 * process alive only while an answer is due, so that an idle handler's event loop counts as empty.
 */

const net = require("net");

const PREFIX = "/2018-06-01/runtime/";
const PIPELINED_BODY_BYTES = 65536; // a larger body goes out on its own: it may be refused
const READ_BYTES = 65536;
const CAUSE_BYTES_MAX = 1024 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");

/** One invocation as the Runtime API describes it; absent headers are undefined. */
class Event {
  constructor(headers, body) {
    this.headers = headers;
    this.body = body;
    this.requestId = headers["lambda-runtime-aws-request-id"];
    this.invocationId = headers["lambda-runtime-invocation-id"];
    this.offersNext = headers["lampion-runtime-next"] !== undefined;
  }
}

/** One runtime's side of the Runtime API. When that is gone, this process has nothing left to do, and ends. */
class RuntimeClient {
  constructor(address, gone = () => process.exit(0)) {
    this._gone = gone;
    const colon = address.lastIndexOf(":");
    this._address = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    this._hostHeader = `Host: ${address}\r\n`;
    this._getNext = `GET ${PREFIX}invocation/next HTTP/1.1\r\n${this._hostHeader}\r\n`;
    this._expected = []; // receivers of the answers that are due, in order
    this._coming = null; // the next event, when an answer has asked for it already
    this._running = null; // the event that is being worked on
    this._connect();
  }

  /** Wait for an invocation. */
  async next() {
    const coming = this._coming ?? this._requestNext();
    this._coming = null;
    this._running = await coming;
    return this._running;
  }

  /** Post what the running invocation came to, and ask for the next one. */
  respond(body) {
    this._answer("response", body, "Content-Type: application/json\r\n");
  }

  /** Post that the running invocation failed, and ask for the next one. */
  fail(body, errorType, cause) {
    this._answer("error", body, failureHeaders(errorType, cause));
  }

  /** Where the running invocation's answer goes, for who streams it; the next event is asked for as ever. */
  get answerAddress() {
    return { ...this._address, path: `${PREFIX}invocation/${this._running.requestId}/response` };
  }

  /** Post that the running invocation failed, if there is one; then call `end`, which ends the process. */
  failAndEnd(body, errorType, cause, end) {
    const event = this._running;
    if (event === null) {
      this._afterWriting(end); // what was answered already is still delivered
      return;
    }
    this._running = null;
    this._post(`invocation/${event.requestId}/error`, body, failureHeaders(errorType, cause) + invocationId(event), end);
  }

  /** Post that the handler can't be loaded; then call `end`, which ends the process. */
  failInit(body, errorType, end) {
    const headers = `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${oneLine(errorType)}\r\n`;
    this._post("init/error", body, headers, end);
  }

  close() {
    const socket = this._socket;
    this._socket = null;
    socket?.destroy();
  }

  _requestNext() {
    return new Promise((resolve, reject) => this._send(this._getNext, eventReceiver(resolve, reject)));
  }

  _answer(kind, body, headers) {
    const event = this._running;
    if (event === null) {
      return;
    }
    this._running = null;
    const path = `invocation/${event.requestId}/${kind}`;
    if (event.offersNext) {
      this._coming = this._answerAndNext(path, body, headers);
    } else {
      this._coming = this._answerThenNext(path, body, headers + invocationId(event));
    }
  }

  /** Lampion's own server takes the answer as a request for the next event, and says so with each event. */
  _answerAndNext(path, body, headers) {
    return new Promise((resolve, reject) => {
      const receiveEvent = eventReceiver(resolve, reject);
      this._post(path, body, `${headers}Lampion-Runtime-Next: true\r\n`, (status, answerHeaders, answer) => {
        if (status === 200) {
          receiveEvent(status, answerHeaders, answer);
        } else {
          resolve(this._requestNext()); // refused, which is no reason to stop: AWS's client doesn't look either
        }
      });
    });
  }

  _answerThenNext(path, body, headers) {
    if (body.length > PIPELINED_BODY_BYTES) {
      return new Promise((resolve) => this._post(path, body, headers, () => resolve(this._requestNext())));
    }
    return new Promise((resolve, reject) => {
      this._post(path, body, headers, () => undefined, this._getNext);
      this._expect(eventReceiver(resolve, reject), this._getNext);
    });
  }

  _post(path, body, headers, receive, after = "") {
    const line = `POST ${PREFIX}${path} HTTP/1.1\r\n${this._hostHeader}${headers}`;
    this._send(`${line}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}${after}`, receive);
  }

  _afterWriting(next) {
    if (this._socket?.writableLength > 0) {
      this._socket.write("", next);
    } else {
      next();
    }
  }

  // -- the connection --

  _connect() {
    this._kept = []; // what was read of an answer that isn't complete
    this._keptBytes = 0;
    this._neededBytes = 0; // until so many are kept, nothing can be told
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const socket = net.connect({
      ...this._address,
      onread: { buffer, callback: (size, data) => this._socket !== socket || this._received(data.subarray(0, size)) },
    });
    socket.setNoDelay(true);
    socket.unref();
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => this._closed(socket));
    this._socket = socket;
  }

  _send(text, receive) {
    if (this._socket === null) {
      this._connect();
    }
    this._expect(receive, null);
    this._socket.write(text, "utf8");
  }

  /** `again` is the request, when it may be sent again on a new connection. */
  _expect(receive, again) {
    if (this._expected.push({ receive, again }) === 1) {
      this._socket.ref();
    }
  }

  _closed(socket) {
    if (socket !== this._socket) {
      return;
    }
    this._socket = null;
    const [due] = this._expected;
    if (due === undefined) {
      return; // it will connect when it has something to say
    }
    if (due.again === null) {
      this._gone();
      return;
    }
    this._expected = []; // a server may close after each answer; it then hasn't seen the request for the next one
    this._send(due.again, due.receive);
  }

  /** Take what was read. The socket reads into the same memory again: what outlasts this call is copied. */
  _received(data) {
    let pending = data;
    if (this._kept.length > 0) {
      this._kept.push(Buffer.from(data));
      this._keptBytes += data.length;
      if (this._keptBytes < this._neededBytes) {
        return true;
      }
      pending = Buffer.concat(this._kept, this._keptBytes);
    }
    const answers = [];
    this._neededBytes = 0;
    while (pending.length > 0) {
      const answer = parseAnswer(pending);
      if (answer.body === null) {
        this._neededBytes = answer.end;
        break;
      }
      answers.push(answer);
      pending = pending.subarray(answer.end);
    }
    this._kept = pending.length > 0 ? [Buffer.from(pending)] : [];
    this._keptBytes = pending.length;
    answers.forEach((answer) => this._deliver(answer));
    return true;
  }

  _deliver(answer) {
    const due = this._expected.shift();
    if (this._expected.length === 0) {
      this._socket?.unref();
    }
    due?.receive(answer.status, answer.headers, answer.body);
  }
}

/** Receives an answer that bears an invocation. */
function eventReceiver(resolve, reject) {
  return (status, headers, body) => {
    if (status === 200) {
      resolve(new Event(headers, body.toString()));
    } else {
      reject(new Error(`Failed to get next invocation: ${status}`));
    }
  };
}

/** The answer that `data` begins with and where it ends; no body, and the least end, while it isn't complete. */
function parseAnswer(data) {
  const headEnd = data.indexOf(HEAD_END);
  if (headEnd < 0) {
    return { body: null, end: 0 };
  }
  const lines = data.utf8Slice(0, headEnd).split("\r\n");
  const headers = {};
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index];
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = parseInt(lines[0].slice(lines[0].indexOf(" ") + 1), 10);
  const begin = headEnd + HEAD_END.length;
  if (headers["transfer-encoding"]?.toLowerCase() === "chunked") {
    return { status, headers, ...joinedChunks(data, begin) };
  }
  const end = begin + Number(headers["content-length"] ?? 0);
  return { status, headers, body: end <= data.length ? data.subarray(begin, end) : null, end };
}

/** The body that the chunks from `begin` on make, and where they end. */
function joinedChunks(data, begin) {
  const parts = [];
  let at = begin;
  for (;;) {
    const lineEnd = data.indexOf("\r\n", at);
    if (lineEnd < 0) {
      return { body: null, end: 0 };
    }
    const size = parseInt(data.latin1Slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (size === 0) {
      const end = endOfTrailers(data, lineEnd + 2);
      return { body: end < 0 ? null : Buffer.concat(parts), end: Math.max(end, 0) };
    }
    if (next > data.length) {
      return { body: null, end: next };
    }
    parts.push(data.subarray(lineEnd + 2, next - 2));
    at = next;
  }
}

function endOfTrailers(data, begin) {
  let at = begin;
  for (;;) {
    const lineEnd = data.indexOf("\r\n", at);
    if (lineEnd <= at) {
      return lineEnd < 0 ? -1 : lineEnd + 2;
    }
    at = lineEnd + 2;
  }
}

function failureHeaders(errorType, cause) {
  const told = Buffer.byteLength(cause) < CAUSE_BYTES_MAX ? cause : "";
  return (
    `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${oneLine(errorType)}\r\n` +
    `Lambda-Runtime-Function-XRay-Error-Cause: ${told}\r\n`
  );
}

function invocationId(event) {
  return event.invocationId === undefined ? "" : `Lambda-Runtime-Invocation-Id: ${event.invocationId}\r\n`;
}

/** Text that can't end a header: the names of errors may hold anything. */
function oneLine(text) {
  return String(text).replace(/[\r\n]/g, " ");
}

module.exports = { RuntimeClient };
