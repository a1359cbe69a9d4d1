using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Lampion.Runtime
{
    /// <summary>The Runtime API (2018-06-01) over one keep-alive connection.</summary>
    internal sealed class RuntimeApi
    {
        /// <summary>The Runtime API is gone: so is the reason to go on.</summary>
        internal sealed class EndedException : Exception
        {
        }

        private const string Prefix = "/2018-06-01/runtime/";
        private const string ErrorContent = "Content-Type: application/vnd.aws.lambda.error+json\r\n";
        private const string ErrorType = "Lambda-Runtime-Function-Error-Type";
        private const string ErrorBody = "Lambda-Runtime-Function-Error-Body";

        private readonly Connection connection;
        private readonly string host;
        private Event current;

        internal RuntimeApi(string address)
        {
            host = address;
            connection = new Connection(address);
        }

        /// <summary>Whether the answer to the current invocation goes out in pieces.</summary>
        internal bool IsStreaming { get; private set; }

        /// <summary>Wait for the next invocation.</summary>
        internal Event Next()
        {
            connection.Renew();
            Send(Head("GET", "invocation/next", ""), null, 0);
            return Expect(200, "Failed to get the next invocation.");
        }

        /// <summary>Post the answer and wait for the next invocation.</summary>
        internal Event Respond(Event answered, MemoryStream output)
        {
            return Post(answered, "response", "Content-Type: application/json\r\n", output.GetBuffer(), (int)output.Length);
        }

        /// <summary>Post the failure and wait for the next invocation.</summary>
        internal Event Fail(Event answered, Exception error)
        {
            string more = ErrorContent + ErrorType + ": " + ErrorReport.TypeOf(error) + "\r\n";
            string cause = ErrorReport.XRayCauseOf(error);
            if (cause != null)
            {
                more += "Lambda-Runtime-Function-XRay-Error-Cause: " + cause + "\r\n";
            }
            byte[] report = ErrorReport.Of(error);
            return Post(answered, "error", more, report, report.Length);
        }

        internal void FailInit(byte[] report, string errorType)
        {
            string more = ErrorContent + ErrorType + ": " + errorType + "\r\nContent-Length: " + report.Length + "\r\n";
            Send(Head("POST", "init/error", more), report, report.Length);
            Expect(202, "Failed to report the error of the initialization.");
        }

        internal void BeginStream(bool hasPrelude)
        {
            string type = hasPrelude ? "application/vnd.awslambda.http-integration-response" : "application/octet-stream";
            string more = "Content-Type: " + type + "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
                + "Transfer-Encoding: chunked\r\nTrailer: " + ErrorType + ", " + ErrorBody + "\r\n";
            Send(Head("POST", "invocation/" + current.RequestId + "/response", more), null, 0);
            IsStreaming = true;
        }

        internal void SendPiece(byte[] piece, int offset, int count)
        {
            if (count == 0)
            {
                return; // would be the end
            }
            byte[] size = Latin1.Bytes(count.ToString("x") + "\r\n");
            var chunk = new byte[size.Length + count + 2];
            Buffer.BlockCopy(size, 0, chunk, 0, size.Length);
            Buffer.BlockCopy(piece, offset, chunk, size.Length, count);
            chunk[chunk.Length - 2] = (byte)'\r';
            chunk[chunk.Length - 1] = (byte)'\n';
            connection.Send(chunk, chunk.Length);
        }

        /// <summary>With the error, if there is one; the next event.</summary>
        internal Event EndStream(Exception error)
        {
            string end = "0\r\n";
            if (error != null)
            {
                end += ErrorType + ": " + ErrorReport.TypeOf(error) + "\r\n";
                end += ErrorBody + ": " + Convert.ToBase64String(ErrorReport.Of(error)) + "\r\n";
            }
            IsStreaming = false;
            Send(end + "\r\n", null, 0);
            connection.ReadAnswer();
            return Next();
        }

        /// <summary>Lampion's server takes an answer as a request for the next event too, and says so with each.</summary>
        private Event Post(Event answered, string kind, string more, byte[] body, int length)
        {
            if (answered.OffersNext)
            {
                more += "Lampion-Runtime-Next: true\r\n";
            }
            string invocation = answered.Header("lambda-runtime-invocation-id");
            if (invocation != null && !answered.OffersNext)
            {
                more += "Lambda-Runtime-Invocation-Id: " + invocation + "\r\n";
            }
            more += "Content-Length: " + length + "\r\n";
            Send(Head("POST", "invocation/" + answered.RequestId + "/" + kind, more), body, length);
            if (answered.OffersNext)
            {
                return Expect(200, "Failed to post the answer.");
            }
            connection.ReadAnswer();
            if (connection.Status / 100 != 2)
            {
                throw new IOException("Failed to post the answer: status " + connection.Status + ".");
            }
            return Next();
        }

        private Event Expect(int status, string otherwise)
        {
            byte[] payload = connection.ReadAnswer();
            if (connection.Status != status)
            {
                throw new IOException(otherwise + " Status " + connection.Status + ": " + Encoding.UTF8.GetString(payload));
            }
            current = new Event(connection.Headers, payload);
            return current;
        }

        private string Head(string method, string path, string more)
        {
            return method + " " + Prefix + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
        }

        private void Send(string head, byte[] body, int length)
        {
            byte[] start = Latin1.Bytes(head);
            if (length == 0)
            {
                connection.Send(start, start.Length);
            }
            else if (length <= Connection.BufferBytes)
            {
                var both = new byte[start.Length + length];
                Buffer.BlockCopy(start, 0, both, 0, start.Length);
                Buffer.BlockCopy(body, 0, both, start.Length, length);
                connection.Send(both, both.Length);
            }
            else
            {
                connection.Send(start, start.Length);
                connection.Send(body, length);
            }
        }
    }
}
