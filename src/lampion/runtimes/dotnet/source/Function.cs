using System;
using System.IO;
using System.Reflection;
using System.Threading.Tasks;
using Amazon.Lambda.RuntimeSupport.ExceptionHandling;

namespace Lampion.Runtime
{
    /// <summary>The method that answers events: reads its input, calls it, waits for its task, writes its output.</summary>
    internal sealed class Function
    {
        private const string ContextName = "Amazon.Lambda.Core.ILambdaContext";

        private readonly MethodInfo method;
        private readonly object target;
        private readonly Serializer serializer;
        private readonly MethodInfo reader;
        private readonly MethodInfo writer;
        private readonly InvocationContext context;
        private readonly PropertyInfo taskResult;
        private readonly bool takesInput;
        private readonly bool isStream;

        internal Function(HandlerName name, MethodInfo method, object target, Serializer serializer, FunctionLog log)
        {
            this.method = method;
            this.target = target;
            this.serializer = serializer;
            ParameterInfo[] parameters = method.GetParameters();
            if (parameters.Length > 2)
            {
                throw new LambdaValidationException(
                    $"Method '{method.Name}' of type '{name.Type}' is not supported: the method has more than 2 parameters.");
            }
            if (parameters.Length == 2 && !IsContext(parameters[1]))
            {
                throw new LambdaValidationException($"Method '{method.Name}' of type '{name.Type}' is not supported: the "
                    + $"method has 2 parameters, but the second parameter is not of type '{ContextName}'.");
            }
            takesInput = parameters.Length > 0 && (parameters.Length == 2 || !IsContext(parameters[0]));
            if (takesInput && parameters[0].ParameterType != typeof(Stream))
            {
                reader = Known(name, "deserialize input", parameters[0].ParameterType).Reader(parameters[0].ParameterType);
            }
            if (parameters.Length > 0 && IsContext(parameters[parameters.Length - 1]))
            {
                Type type = parameters[parameters.Length - 1].ParameterType;
                context = new InvocationContext(type, serializer?.Instance, log);
            }
            Type output = method.ReturnType;
            if (typeof(Task).IsAssignableFrom(output))
            {
                Type generic = TaskOfResult(output);
                taskResult = generic?.GetProperty("Result");
                output = taskResult == null ? typeof(void) : taskResult.PropertyType;
            }
            isStream = typeof(Stream).IsAssignableFrom(output);
            if (output != typeof(void) && !isStream)
            {
                writer = Known(name, "serialize output", output).Writer(output);
            }
        }

        /// <summary>The answer to an event. Throws what the function or its serializer throws.</summary>
        internal MemoryStream Call(Event current)
        {
            object result = Run(method, target, Arguments(current));
            if (result is Task task && typeof(Task).IsAssignableFrom(method.ReturnType))
            {
                task.GetAwaiter().GetResult();
                result = taskResult?.GetValue(task);
            }
            var output = new MemoryStream();
            if (isStream)
            {
                ((Stream)result).CopyTo(output);
            }
            else if (writer != null)
            {
                Run(writer, serializer.Instance, new[] { result, output });
            }
            return output;
        }

        private object[] Arguments(Event current)
        {
            object first = null;
            if (takesInput)
            {
                first = new MemoryStream(current.Payload, 0, current.Payload.Length, false, true);
                if (reader != null)
                {
                    first = Run(reader, serializer.Instance, new[] { first });
                }
            }
            if (context == null)
            {
                return takesInput ? new[] { first } : Array.Empty<object>();
            }
            object second = context.Of(current);
            return takesInput ? new[] { first, second } : new[] { second };
        }

        private static object Run(MethodInfo method, object target, object[] arguments)
        {
            return method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
        }

        private Serializer Known(HandlerName name, string work, Type type)
        {
            return serializer ?? throw Serializer.Missing(name, work, type);
        }

        private static bool IsContext(ParameterInfo parameter)
        {
            return parameter.ParameterType.FullName == ContextName;
        }

        private static Type TaskOfResult(Type type)
        {
            while (type != null && !(type.IsConstructedGenericType && type.GetGenericTypeDefinition() == typeof(Task<>)))
            {
                type = type.BaseType;
            }
            return type;
        }
    }
}
