using System.Collections.Generic;
using System.Text;

namespace Lampion.Runtime
{
    /// <summary>One invocation as the Runtime API hands it over.</summary>
    internal sealed class Event
    {
        private readonly Dictionary<string, string> headers;

        internal Event(Dictionary<string, string> headers, byte[] payload)
        {
            this.headers = headers;
            Payload = payload;
            RequestId = Header("lambda-runtime-aws-request-id");
            TraceId = Header("lambda-runtime-trace-id");
        }

        internal byte[] Payload { get; }

        internal string RequestId { get; }

        internal string TraceId { get; }

        internal bool OffersNext => headers.ContainsKey("lampion-runtime-next");

        /// <summary>Null when there is none; the name in lower case.</summary>
        internal string Header(string name)
        {
            return headers.TryGetValue(name, out string value) ? value : null;
        }

        /// <summary>A header that holds JSON: its bytes are UTF-8. Null when there is none or nothing in it.</summary>
        internal string Json(string name)
        {
            string text = Header(name);
            return string.IsNullOrWhiteSpace(text) ? null : Encoding.UTF8.GetString(Latin1.Bytes(text));
        }
    }
}
