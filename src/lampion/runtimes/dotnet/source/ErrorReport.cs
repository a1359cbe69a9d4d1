using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;

namespace Lampion.Runtime
{
    /// <summary>Exceptions as AWS tells them: an object with its causes, and another one for X-Ray.</summary>
    internal static class ErrorReport
    {
        private const int ReportBytesMax = 256 * 1024;
        private const int CauseBytesMax = 8192; // of a header line; X-Ray itself takes no more than 64 KB in all
        private const string Truncated = "{\"errorMessage\": \"Exception exceeded maximum payload size of 256KB.\"}";

        internal static string TypeOf(Exception error)
        {
            return error.GetType().Name;
        }

        internal static byte[] Of(Exception error)
        {
            return Encoding.UTF8.GetBytes(Described(error, "", ReportBytesMax));
        }

        /// <summary>Null where it is too long for a header.</summary>
        internal static string XRayCauseOf(Exception error)
        {
            var paths = new List<string>();
            var stack = new List<string>();
            foreach (StackFrame frame in new StackTrace(error, true).GetFrames() ?? Array.Empty<StackFrame>())
            {
                string path = frame.GetFileName();
                string place = "";
                if (path != null)
                {
                    place = $"\"path\":{Json.Header(path)},\"line\":{frame.GetFileLineNumber()},";
                    paths.Add(Json.Header(path));
                }
                stack.Add($"{{{place}\"label\":{Json.Header(Label(frame))}}}");
            }
            string text = $"{{\"working_directory\":{Json.Header(Directory.GetCurrentDirectory())},\"exceptions\":[{{"
                + $"\"type\":{Json.Header(TypeOf(error))},\"message\":{Json.Header(error.Message ?? "")},"
                + $"\"stack\":[{string.Join(",", stack)}]}}],\"paths\":[{string.Join(",", paths.Distinct())}]}}";
            return text.Length > CauseBytesMax ? null : text;
        }

        private static string Label(StackFrame frame)
        {
            string type = frame.GetMethod()?.DeclaringType?.Name;
            string method = frame.GetMethod()?.Name ?? "Method has been trimmed";
            return type == null ? method : type + "." + method;
        }

        private static string Described(Exception error, string indent, int room)
        {
            var members = new List<string> { "\"errorType\": " + Json.Text(TypeOf(error)) };
            if (error.Message != null)
            {
                members.Add("\"errorMessage\": " + Json.Text(error.Message.Trim()));
            }
            string inner = indent + "  ";
            if (!string.IsNullOrEmpty(error.StackTrace))
            {
                string[] lines = new StackTrace(error, true).ToString().Split('\n')
                    .Select(line => line.Trim()).Where(line => line.Length > 0)
                    .Select(line => $"\n{inner}  {Json.Text(line)}").ToArray();
                if (lines.Length > 0)
                {
                    members.Add($"\"stackTrace\": [{string.Join(",", lines)}\n{inner}]");
                }
            }
            room -= members.Sum(Encoding.UTF8.GetByteCount);
            if (room <= 0)
            {
                return Truncated;
            }
            if (error.InnerException != null)
            {
                members.Add("\"cause\": " + Described(error.InnerException, inner, room));
                room -= Encoding.UTF8.GetByteCount(members[members.Count - 1]);
            }
            if (error is AggregateException several && several.InnerExceptions.Count > 0)
            {
                members.Add(Causes(several, inner, room));
            }
            return "{" + string.Join(",", members.Select(member => $"\n{inner}{member}")) + $"\n{indent}}}";
        }

        private static string Causes(AggregateException error, string indent, int room)
        {
            var causes = new List<string>();
            foreach (Exception cause in error.InnerExceptions)
            {
                string described = Described(cause, indent + "  ", room);
                room -= Encoding.UTF8.GetByteCount(described);
                causes.Add($"\n{indent}  {(room < 0 ? Truncated : described)}");
                if (room < 0)
                {
                    break;
                }
            }
            return $"\"causes\": [{string.Join(",", causes)}\n{indent}]";
        }
    }
}
