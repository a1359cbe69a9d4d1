using System;
using System.IO;
using System.Linq;
using System.Reflection;
using Amazon.Lambda.RuntimeSupport.ExceptionHandling;

namespace Lampion.Runtime
{
    /// <summary>The ILambdaSerializer that a function names by LambdaSerializerAttribute.</summary>
    internal sealed class Serializer
    {
        private const string AttributeName = "Amazon.Lambda.Core.LambdaSerializerAttribute";
        private const string InterfaceName = "Amazon.Lambda.Core.ILambdaSerializer";

        private readonly Type shape;

        private Serializer(object instance, Type shape)
        {
            Instance = instance;
            this.shape = shape;
        }

        /// <summary>What the context offers as Serializer.</summary>
        internal object Instance { get; }

        /// <summary>That of the method, else of the assembly; null without one.</summary>
        internal static Serializer Of(MethodInfo method, Assembly assembly)
        {
            Attribute attribute = Named(method.GetCustomAttributes().ToArray()) ?? Named(assembly.GetCustomAttributes().ToArray());
            return attribute == null ? null : Make(attribute);
        }

        internal MethodInfo Reader(Type type)
        {
            return shape.GetMethod("Deserialize").MakeGenericMethod(type);
        }

        internal MethodInfo Writer(Type type)
        {
            return shape.GetMethod("Serialize").MakeGenericMethod(type);
        }

        /// <summary>Why a value of that type can't be read or written.</summary>
        internal static LambdaValidationException Missing(HandlerName name, string work, Type type)
        {
            return new LambdaValidationException(
                $"Could not find the LambdaSerializerAttribute on the assembly '{name.Assembly}' or method '{name.Method}' "
                + $"while attempting to {work} data of type '{type.FullName}'. To use types other than System.IO.Stream as "
                + $"input/output parameters, the assembly or Lambda function should be annotated with {AttributeName}.");
        }

        private static Attribute Named(Attribute[] attributes)
        {
            return Array.Find(attributes, attribute => attribute.GetType().FullName == AttributeName);
        }

        private static Serializer Make(Attribute attribute)
        {
            string title = attribute.GetType().FullName;
            PropertyInfo property = attribute.GetType().GetProperty("SerializerType")
                ?? throw Refused($"The '{title}' class is invalid: no 'SerializerType' property detected.");
            var type = property.GetValue(attribute) as Type
                ?? throw Refused($"The 'SerializerType' property on attribute class '{title}' is not set.");
            ConstructorInfo constructor = type.GetConstructor(Type.EmptyTypes) ?? throw Refused(
                $"The indicated serializer '{type.FullName}' does not define a public zero-parameter constructor.");
            Type shape = type.GetInterface(InterfaceName) ?? throw Refused(
                $"The '{type.FullName}' class is invalid: it does not implement the 'ILambdaSerializer' interface.");
            return new Serializer(constructor.Invoke(null), shape);
        }

        private static LambdaValidationException Refused(string message)
        {
            return new LambdaValidationException(message);
        }
    }
}
