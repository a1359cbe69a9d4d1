using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Lampion.Runtime
{
    /// <summary>"User bought {count:000} of {@product}": a message with named or numbered places for its arguments.</summary>
    internal sealed class MessageTemplate
    {
        private static readonly HashSet<string> Reserved = new HashSet<string>
        {
            "timestamp", "level", "requestId", "tenantId", "traceId", "message", "errorType", "errorMessage", "stackTrace",
        };

        private readonly string text;
        private readonly object[] arguments;
        private readonly List<Place> places;
        private readonly bool isNumbered;

        internal MessageTemplate(string text, object[] arguments)
        {
            this.text = text;
            this.arguments = arguments;
            places = arguments.Length == 0 ? new List<Place>() : Places(text);
            isNumbered = AreNumbered(places);
        }

        public override string ToString()
        {
            if (places.Count == 0)
            {
                return text;
            }
            var whole = new StringBuilder();
            int position = 0;
            for (int index = 0; index < places.Count && (isNumbered || index < arguments.Length); index++)
            {
                Place place = places[index];
                whole.Append(text, position, place.Start - position).Append(place.Shown(Argument(index)));
                position = place.End;
            }
            return whole.Append(text, position, text.Length - position).ToString();
        }

        /// <summary>Arguments that aren't null, as members of a JSON object that has some already.</summary>
        internal void AppendMembers(StringBuilder record)
        {
            var seen = new HashSet<string>(Reserved);
            for (int index = 0; index < places.Count; index++)
            {
                object value = Argument(index);
                if (value != null && seen.Add(places[index].Name))
                {
                    record.Append(',').Append(Json.Text(places[index].Name)).Append(':');
                    places[index].AppendJson(record, value);
                }
            }
        }

        private object Argument(int index)
        {
            int number = isNumbered ? int.Parse(places[index].Name, CultureInfo.InvariantCulture) : index;
            return number < arguments.Length ? arguments[number] : null;
        }

        /// <summary>Twice a brace is none of them, and stays as it is.</summary>
        private static List<Place> Places(string text)
        {
            var found = new List<Place>();
            for (int start = text.IndexOf('{'); start >= 0 && start + 1 < text.Length; start = text.IndexOf('{', start))
            {
                int end = text.IndexOf('}', start);
                if (text[start + 1] == '{' || end == start + 1)
                {
                    start += 2;
                    continue;
                }
                if (end < 0)
                {
                    break;
                }
                found.Add(new Place(text, start, end + 1));
                start = end + 1;
            }
            return found;
        }

        /// <summary>0, 1, 2 and so on, each at least once.</summary>
        private static bool AreNumbered(List<Place> places)
        {
            var numbers = new HashSet<int>();
            int most = -1;
            foreach (Place place in places)
            {
                if (!int.TryParse(place.Name, NumberStyles.Integer, CultureInfo.InvariantCulture, out int number) || number < 0)
                {
                    return false;
                }
                numbers.Add(number);
                most = Math.Max(most, number);
            }
            return places.Count > 0 && numbers.Count == most + 1;
        }

        /// <summary>One {name:format}.</summary>
        private sealed class Place
        {
            private const int BytesShown = 16;

            private readonly string token;
            private readonly string format;
            private readonly bool isWhole;

            internal Place(string text, int start, int end)
            {
                Start = start;
                End = end;
                token = text.Substring(start, end - start);
                string inner = token.Substring(1, token.Length - 2);
                isWhole = inner.StartsWith("@", StringComparison.Ordinal);
                inner = isWhole ? inner.Substring(1) : inner;
                int colon = inner.IndexOf(':');
                Name = (colon < 0 ? inner : inner.Substring(0, colon)).Trim();
                format = colon < 0 ? "" : inner.Substring(colon + 1).Trim();
            }

            internal int Start { get; }

            internal int End { get; }

            internal string Name { get; }

            internal string Shown(object value)
            {
                if (value is byte[] bytes)
                {
                    return Hexadecimal(bytes);
                }
                if (value == null || value is IList || value is IDictionary)
                {
                    return token;
                }
                return format.Length > 0 ? Formatted(value) : Dated(value) ?? value.ToString();
            }

            internal void AppendJson(StringBuilder record, object value)
            {
                if (value is IList items && !(value is byte[]))
                {
                    string separator = "[";
                    foreach (object item in items)
                    {
                        record.Append(separator).Append(Value(item));
                        separator = ",";
                    }
                    record.Append(items.Count == 0 ? "[]" : "]");
                }
                else if (value is IDictionary members)
                {
                    string separator = "{";
                    foreach (DictionaryEntry member in members)
                    {
                        record.Append(separator).Append(Json.Text(member.Key.ToString() ?? "")).Append(':').Append(Value(member.Value));
                        separator = ",";
                    }
                    record.Append(members.Count == 0 ? "{}" : "}");
                }
                else
                {
                    record.Append(Value(value));
                }
            }

            private string Value(object value)
            {
                switch (value)
                {
                    case null:
                        return "null";
                    case object _ when isWhole:
                        return Whole(value);
                    case object _ when format.Length > 0:
                        return Json.Text(Formatted(value));
                    case bool isTrue:
                        return isTrue ? "true" : "false";
                    case byte[] bytes:
                        return Json.Text(Hexadecimal(bytes));
                    case double number when double.IsNaN(number) || double.IsInfinity(number):
                    case float single when float.IsNaN(single) || float.IsInfinity(single):
                        return Json.Text(Convert.ToString(value, CultureInfo.InvariantCulture));
                    case byte _:
                    case sbyte _:
                    case short _:
                    case ushort _:
                    case int _:
                    case uint _:
                    case long _:
                    case ulong _:
                    case float _:
                    case double _:
                    case decimal _:
                        return Convert.ToString(value, CultureInfo.InvariantCulture);
                    default:
                        return Json.Text(Dated(value) ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
                }
            }

            private static string Whole(object value)
            {
                try
                {
                    return Serialized(value);
                }
                catch (Exception)
                {
                    return Json.Text(value.ToString() ?? "");
                }
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            private static string Serialized(object value)
            {
                return JsonSerializer.Serialize(value, value.GetType(), new JsonSerializerOptions { IgnoreNullValues = true });
            }

            private string Formatted(object value)
            {
                try
                {
                    return string.Format("{0:" + format + "}", value);
                }
                catch (FormatException)
                {
                    return value.ToString();
                }
            }

            /// <summary>Null for what is neither date nor time. Two of the types are younger than .NET Core 3.1.</summary>
            private static string Dated(object value)
            {
                switch (value.GetType().FullName)
                {
                    case "System.DateTime":
                    case "System.DateTimeOffset":
                        return ((IFormattable)value).ToString(FunctionLog.DateFormat, CultureInfo.InvariantCulture);
                    case "System.DateOnly":
                        return ((IFormattable)value).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                    case "System.TimeOnly":
                        return ((IFormattable)value).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
                    default:
                        return null;
                }
            }

            private static string Hexadecimal(byte[] bytes)
            {
                string shown = BitConverter.ToString(bytes, 0, Math.Min(bytes.Length, BytesShown)).Replace("-", "");
                return bytes.Length > BytesShown ? $"{shown}... ({bytes.Length} bytes)" : shown;
            }
        }
    }
}
