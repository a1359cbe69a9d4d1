using System;
using System.Globalization;
using System.IO;
using System.Reflection;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lampion.Runtime
{
    /// <summary>
    /// The function's log: whole records with a level, as text or JSON, and text as it is written. Each is a frame on the
    /// telemetry descriptor, so that it stays one event however many lines it has; without one it is standard output.
    /// </summary>
    internal sealed class FunctionLog
    {
        internal const string DateFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
        private const int FrameHeaderBytes = 16;
        private const uint FrameType = 0xa55a0003; // text, with a timestamp
        private static readonly string[] Levels = { "Trace", "Debug", "Information", "Warning", "Error", "Critical" };
        private static readonly string[] Labels = { "trce", "dbug", "info", "warn", "fail", "crit" };

        private readonly Stream stream;
        private readonly bool isFramed;
        private readonly bool isJson;
        private readonly bool isUnformatted;
        private readonly int least;
        private Event current;

        private FunctionLog(Stream stream, bool isFramed, string format, int least)
        {
            this.stream = stream;
            this.isFramed = isFramed;
            this.least = least;
            isJson = Same(format, "JSON");
            isUnformatted = Same(format, "Unformatted");
        }

        /// <summary>By the variables that Lambda sets, and those of RuntimeSupport's own, which go first.</summary>
        internal static FunctionLog Open()
        {
            string format = Variable("AWS_LAMBDA_HANDLER_LOG_FORMAT") ?? Variable("AWS_LAMBDA_LOG_FORMAT");
            int least = LevelOf(Variable("AWS_LAMBDA_HANDLER_LOG_LEVEL") ?? Variable("AWS_LAMBDA_LOG_LEVEL"));
            Stream framed = Telemetry(Variable("_LAMBDA_TELEMETRY_LOG_FD"));
            return new FunctionLog(framed ?? Console.OpenStandardOutput(), framed != null, format, least < 0 ? 2 : least);
        }

        /// <summary>Which invocation the records to come are of.</summary>
        internal void Attach(Event next)
        {
            current = next;
        }

        /// <summary>A record. A level that isn't one of .NET's is shown as it is and never held back.</summary>
        internal void Write(string level, Exception error, string template, object[] arguments)
        {
            int number = LevelOf(level);
            if (number >= 0 && number < least)
            {
                return;
            }
            var message = new MessageTemplate(template ?? "", arguments ?? Array.Empty<object>());
            Send((isJson ? Structured(number, error, message) : Plain(level, number, error, message)) + "\n");
        }

        /// <summary>What isn't a whole line, or not yet.</summary>
        internal void Print(string text)
        {
            if (!string.IsNullOrEmpty(text))
            {
                Send(text);
            }
        }

        /// <summary>
        /// Every method of whatever ILambdaLogger: Log and LogLine, and those named by a level. Others answer null.
        /// </summary>
        internal object Serve(MethodInfo method, object[] arguments)
        {
            if (!method.Name.StartsWith("Log", StringComparison.Ordinal) || arguments.Length == 0)
            {
                return null;
            }
            if (method.Name == "Log" && arguments.Length == 1)
            {
                Print((string)arguments[0]);
                return null;
            }
            int start = method.Name == "Log" ? 1 : 0;
            string level = start == 1 ? Convert.ToString(arguments[0], CultureInfo.InvariantCulture) : method.Name.Substring(3);
            if (method.Name == "LogLine")
            {
                level = "Information";
            }
            var error = arguments[start] as Exception;
            bool hasError = method.GetParameters()[start].ParameterType == typeof(Exception);
            int text = hasError ? start + 1 : start;
            object[] values = text + 1 < arguments.Length ? arguments[text + 1] as object[] : null;
            Write(level, error, arguments[text]?.ToString(), values);
            return null;
        }

        private string Plain(string level, int number, Exception error, MessageTemplate message)
        {
            string label = number >= 0 ? Labels[number] : level;
            string prefix = isUnformatted ? "" : Now() + "\t" + current?.RequestId + "\t"
                + (string.IsNullOrEmpty(label) ? "" : label + "\t");
            string text = message.ToString();
            return prefix + text + (error != null && text.Length > 0 ? "\n" : "") + error;
        }

        private string Structured(int number, Exception error, MessageTemplate message)
        {
            var record = new StringBuilder("{\"timestamp\":").Append(Json.Text(Now()));
            record.Append(",\"level\":").Append(Json.Text(Levels[number < 0 ? 2 : number]));
            Append(record, "requestId", current?.RequestId);
            Append(record, "tenantId", current?.Header("lambda-runtime-aws-tenant-id"));
            Append(record, "traceId", current?.TraceId);
            record.Append(",\"message\":").Append(Json.Text(message.ToString()));
            message.AppendMembers(record);
            if (error != null)
            {
                Append(record, "errorType", error.GetType().FullName);
                Append(record, "errorMessage", error.Message);
                string[] lines = Array.ConvertAll(error.ToString().Split('\n'), line => Json.Text(line.Trim()));
                record.Append(",\"stackTrace\":[").Append(string.Join(",", lines)).Append(']');
            }
            return record.Append('}').ToString();
        }

        private static void Append(StringBuilder record, string name, string value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                record.Append(",\"").Append(name).Append("\":").Append(Json.Text(value));
            }
        }

        private void Send(string text)
        {
            int start = isFramed ? FrameHeaderBytes : 0;
            int count = Encoding.UTF8.GetByteCount(text);
            var bytes = new byte[start + count];
            Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, start);
            if (isFramed)
            {
                long microseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / 10;
                Put(bytes, 0, 4, FrameType);
                Put(bytes, 4, 4, count);
                Put(bytes, 8, 8, microseconds);
            }
            lock (stream)
            {
                stream.Write(bytes, 0, bytes.Length);
            }
        }

        private static void Put(byte[] bytes, int start, int size, long number)
        {
            for (int index = 0; index < size; index++)
            {
                bytes[start + index] = (byte)(number >> (8 * (size - 1 - index)));
            }
        }

        /// <summary>-1 for what is none of .NET's levels nor of Lambda's.</summary>
        private static int LevelOf(string name)
        {
            string known = Same(name, "FATAL") ? "Critical" : Same(name, "INFO") ? "Information" : Same(name, "WARN") ? "Warning" : name;
            return Array.FindIndex(Levels, level => Same(level, known));
        }

        private static Stream Telemetry(string descriptor)
        {
            try
            {
                return descriptor == null ? null : new FileStream(
                    new SafeFileHandle(new IntPtr(int.Parse(descriptor)), false), FileAccess.Write, 1, false);
            }
            catch (Exception)
            {
                return null;
            }
        }

        private static string Now()
        {
            return DateTime.UtcNow.ToString(DateFormat, CultureInfo.InvariantCulture);
        }

        private static string Variable(string name)
        {
            string value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? null : value;
        }

        private static bool Same(string one, string other)
        {
            return string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
        }
    }
}
