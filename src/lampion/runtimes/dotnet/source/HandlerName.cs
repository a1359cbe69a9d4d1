using System;
using System.Reflection;
using Amazon.Lambda.RuntimeSupport.ExceptionHandling;

namespace Lampion.Runtime
{
    /// <summary>ASSEMBLY::TYPE::METHOD. A method is named alone or, where it has overloads, by its whole signature.</summary>
    internal sealed class HandlerName
    {
        private const string Valid = "The valid format is 'ASSEMBLY::TYPE::METHOD'.";

        private HandlerName(string assembly, string type, string method)
        {
            Assembly = new AssemblyName(assembly);
            Type = type;
            Method = method;
        }

        internal AssemblyName Assembly { get; }

        internal string Type { get; }

        internal string Method { get; }

        internal static HandlerName Parse(string handler)
        {
            if (handler.Length == 0)
            {
                throw new LambdaValidationException("Empty lambda function handler. " + Valid);
            }
            string[] parts = handler.Split(new[] { "::" }, 3, StringSplitOptions.None);
            if (parts.Length != 3)
            {
                throw new LambdaValidationException($"Invalid lambda function handler: '{handler}'. {Valid}");
            }
            return new HandlerName(
                Part(parts[0], "assembly", handler), Part(parts[1], "type", handler), Part(parts[2], "method", handler));
        }

        private static string Part(string part, string title, string handler)
        {
            part = part.Trim();
            return part.Length > 0 ? part : throw new LambdaValidationException(
                $"Invalid lambda function handler: '{handler}', the {title} is missing. {Valid}");
        }
    }
}
