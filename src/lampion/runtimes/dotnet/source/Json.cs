using System.Globalization;
using System.Text;

namespace Lampion.Runtime
{
    /// <summary>Strings of JSON. System.Text.Json takes longer to start, so that it is left to functions that use it.</summary>
    internal static class Json
    {
        internal static string Text(string text)
        {
            return Quoted(text, false);
        }

        /// <summary>With nothing but ASCII.</summary>
        internal static string Header(string text)
        {
            return Quoted(text, true);
        }

        private static string Quoted(string text, bool isAscii)
        {
            var quoted = new StringBuilder(text.Length + 16).Append('"');
            for (int index = 0; index < text.Length; index++)
            {
                char one = text[index];
                if (one == '"' || one == '\\')
                {
                    quoted.Append('\\').Append(one);
                }
                else if (one == '\n')
                {
                    quoted.Append("\\n");
                }
                else if (one < ' ' || one == '\u0085' || one == '\u2028' || one == '\u2029' || (isAscii && one > '~')
                    || IsLonely(text, index))
                {
                    quoted.Append("\\u").Append(((int)one).ToString("x4", CultureInfo.InvariantCulture));
                }
                else
                {
                    quoted.Append(one);
                }
            }
            return quoted.Append('"').ToString();
        }

        /// <summary>Half of a character, which UTF-8 can't hold.</summary>
        private static bool IsLonely(string text, int index)
        {
            char one = text[index];
            if (char.IsHighSurrogate(one))
            {
                return index + 1 == text.Length || !char.IsLowSurrogate(text[index + 1]);
            }
            return char.IsLowSurrogate(one) && (index == 0 || !char.IsHighSurrogate(text[index - 1]));
        }
    }
}
