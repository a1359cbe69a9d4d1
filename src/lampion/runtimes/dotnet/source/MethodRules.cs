using System;
using System.Reflection;
using System.Runtime.CompilerServices;
using Amazon.Lambda.RuntimeSupport.ExceptionHandling;

namespace Lampion.Runtime
{
    /// <summary>Which types and methods can't serve as a handler, in AWS's words.</summary>
    internal static class MethodRules
    {
        internal static void Check(MethodInfo method)
        {
            if (method.IsAbstract)
            {
                throw Refused(method, "it is an abstract method. Handler methods cannot be abstract. Please specify a "
                    + "non-abstract handler method.");
            }
            if (method.IsGenericMethod)
            {
                throw Refused(method, "it is a generic method. Handler methods cannot be generic. Please specify a "
                    + "non-generic handler method.");
            }
            if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute), false))
            {
                throw Refused(method, "it is an 'async void' method. Handler methods cannot be 'async void'. Please "
                    + "specify a method that is not 'async void'.");
            }
            ParameterInfo[] parameters = method.GetParameters();
            if (parameters.Length > 0 && parameters[parameters.Length - 1].IsDefined(typeof(ParamArrayAttribute), false))
            {
                throw Refused(method, "it is a 'params' method. Please specify a method that does not use 'params'.");
            }
            if ((method.CallingConvention & CallingConventions.VarArgs) == CallingConventions.VarArgs)
            {
                throw Refused(method, "it is a 'vararg (variable arguments)' method. Please specify a method that is not "
                    + "'vararg'.");
            }
        }

        internal static void Check(Type type, MethodInfo method)
        {
            if (type.IsGenericType)
            {
                throw new LambdaValidationException($"The type '{type.FullName}' cannot be used as a Lambda Handler type "
                    + "because it is generic. Handler methods cannot be located in generic types. Please specify a handler "
                    + "method in a non-generic type.");
            }
            if (!method.IsStatic && type.IsAbstract)
            {
                throw new LambdaValidationException($"The instance method '{method}' cannot be used as a Lambda Handler "
                    + $"because its type '{type.FullName}' is abstract. Please either use a static handler or specify a "
                    + "type that is not abstract.");
            }
            bool isStruct = type.IsValueType && !type.IsPrimitive && !type.IsEnum;
            if (!type.IsClass && !isStruct)
            {
                throw new LambdaValidationException($"The type '{type.FullName}' cannot be used as a handler type since it "
                    + "is not a class or a struct. Please specify a handler method on a class or struct.");
            }
        }

        private static LambdaValidationException Refused(MethodInfo method, string reason)
        {
            return new LambdaValidationException(
                $"The method '{method}' cannot be used as a Lambda Handler because {reason}");
        }
    }
}
