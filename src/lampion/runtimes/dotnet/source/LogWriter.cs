using System;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Lampion.Runtime
{
    /// <summary>Console.Out or Console.Error: a line is a record of the log, whatever else is written goes there as it is.</summary>
    internal sealed class LogWriter : TextWriter
    {
        private readonly FunctionLog log;
        private readonly string level;

        internal LogWriter(FunctionLog log, string level)
        {
            this.log = log;
            this.level = level;
        }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => log.Print(value.ToString());

        public override void Write(string value) => log.Print(value);

        public override void Write(char[] buffer) => log.Print(buffer == null ? "" : new string(buffer));

        public override void Write(char[] buffer, int index, int count) => log.Print(new string(buffer, index, count));

        public override void Write(ReadOnlySpan<char> buffer) => log.Print(new string(buffer));

        public override void Write(StringBuilder value) => log.Print(value?.ToString());

        public override Task WriteAsync(char value) => Done(() => Write(value));

        public override Task WriteAsync(string value) => Done(() => Write(value));

        public override Task WriteAsync(char[] buffer, int index, int count) => Done(() => Write(buffer, index, count));

        public override void WriteLine() => Line("");

        public override void WriteLine(bool value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(char value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(char[] buffer) => Line(buffer == null ? "" : new string(buffer));

        public override void WriteLine(char[] buffer, int index, int count) => Line(new string(buffer, index, count));

        public override void WriteLine(decimal value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(double value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(float value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(int value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(uint value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(long value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(ulong value) => Line(value.ToString(FormatProvider));

        public override void WriteLine(object value) => Line(value?.ToString());

        public override void WriteLine(string value) => Line(value);

        public override void WriteLine(string format, object arg0) => Line(string.Format(FormatProvider, format, arg0));

        public override void WriteLine(string format, object arg0, object arg1) =>
            Line(string.Format(FormatProvider, format, arg0, arg1));

        public override void WriteLine(string format, object arg0, object arg1, object arg2) =>
            Line(string.Format(FormatProvider, format, arg0, arg1, arg2));

        public override void WriteLine(string format, params object[] arg) => Line(string.Format(FormatProvider, format, arg));

        public override void WriteLine(StringBuilder value) => Line(value?.ToString());

        public override void WriteLine(ReadOnlySpan<char> buffer) => Line(new string(buffer));

        public override Task WriteLineAsync() => Done(WriteLine);

        public override Task WriteLineAsync(char value) => Done(() => WriteLine(value));

        public override Task WriteLineAsync(string value) => Done(() => WriteLine(value));

        public override Task WriteLineAsync(char[] buffer, int index, int count) => Done(() => WriteLine(buffer, index, count));

        public override Task WriteLineAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default) =>
            Done(() => Line(buffer.ToString()));

        public override Task WriteLineAsync(StringBuilder value, CancellationToken cancellationToken = default) =>
            Done(() => WriteLine(value));

        private static Task Done(Action work)
        {
            work();
            return Task.CompletedTask;
        }

        private void Line(string text)
        {
            log.Write(level, null, text, null);
        }
    }
}
