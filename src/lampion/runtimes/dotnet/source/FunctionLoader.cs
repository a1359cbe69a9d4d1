using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Amazon.Lambda.RuntimeSupport.ExceptionHandling;

namespace Lampion.Runtime
{
    /// <summary>Finds the method that a handler names, makes its object and its serializer.</summary>
    internal static class FunctionLoader
    {
        private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.NonPublic | BindingFlags.Public
            | BindingFlags.Instance | BindingFlags.Static;

        /// <summary>Throws LambdaValidationException, and whatever the function's constructors throw.</summary>
        internal static Function Load(string handler, FunctionLog log)
        {
            HandlerName name = HandlerName.Parse(handler);
            Assembly assembly = LoadAssembly(name);
            Type type = assembly.GetType(name.Type)
                ?? throw Refused($"Unable to load type '{name.Type}' from assembly '{name.Assembly}'.");
            MethodInfo method = Find(type, name);
            MethodRules.Check(method);
            MethodRules.Check(type, method);
            object target = Target(type, method);
            return new Function(name, method, target, Serializer.Of(method, assembly), log);
        }

        private static Assembly LoadAssembly(HandlerName name)
        {
            try
            {
                return AssemblyLoadContext.Default.LoadFromAssemblyName(name.Assembly);
            }
            catch (FileNotFoundException missing)
            {
                throw Refused($"Could not find the specified handler assembly with the file name '{missing.FileName}'. "
                    + "The assembly should be located in the root of your uploaded .zip file.");
            }
            catch (Exception)
            {
                throw Refused($"Unable to load assembly '{name.Assembly}'.");
            }
        }

        private static MethodInfo Find(Type type, HandlerName name)
        {
            for (Type place = type; place != null; place = place.BaseType)
            {
                try
                {
                    MethodInfo found = place.GetMethod(name.Method, Declared);
                    if (found != null)
                    {
                        return found;
                    }
                }
                catch (AmbiguousMatchException)
                {
                    string candidates = string.Join("\n", place.GetMethods(Declared)
                        .Where(method => method.Name == name.Method).Select(method => method.ToString()));
                    throw Refused($"The method '{name.Method}' in type '{place.FullName}' appears to have a number of "
                        + "overloads. To call this method please specify a complete method signature. Possible candidates "
                        + $"are:\n{candidates}.");
                }
            }
            for (Type place = type; place != null; place = place.BaseType)
            {
                MethodInfo found = place.GetMethods(Declared).FirstOrDefault(method => method.ToString() == name.Method);
                if (found != null)
                {
                    return found;
                }
            }
            throw Refused($"Unable to find method '{name.Method}' in type '{name.Type}' from assembly '{name.Assembly}': "
                + $"Found no methods matching method name '{name.Method}'.");
        }

        /// <summary>What a constructor throws stays wrapped, as on AWS.</summary>
        private static object Target(Type type, MethodInfo method)
        {
            if (!method.IsStatic)
            {
                return Activator.CreateInstance(type);
            }
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            return null;
        }

        private static LambdaValidationException Refused(string message)
        {
            return new LambdaValidationException(message);
        }
    }
}
