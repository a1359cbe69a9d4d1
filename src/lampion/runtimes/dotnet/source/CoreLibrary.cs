using System;
using System.Reflection;
using System.Runtime.Loader;

namespace Lampion.Runtime
{
    /// <summary>The function's Amazon.Lambda.Core, whose static classes a runtime must give something to call.</summary>
    internal static class CoreLibrary
    {
        private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Static;

        private static Assembly assembly;

        /// <summary>LambdaLogger writes to that log. Null for a function that brings none.</summary>
        internal static Assembly Connect(FunctionLog log)
        {
            var listed = AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string;
            if (listed == null || !listed.Contains("/Amazon.Lambda.Core.dll", StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
            assembly = AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName("Amazon.Lambda.Core"));
            Type logger = assembly.GetType("Amazon.Lambda.Core.LambdaLogger");
            Set(logger, "_loggingAction", new Action<string>(message => log.Write(null, null, message, null)));
            Set(logger, "_loggingWithLevelAction", new Action<string, string, object[]>(
                (level, message, arguments) => log.Write(level, null, message, arguments)));
            Set(logger, "_loggingWithLevelAndExceptionAction", new Action<string, Exception, string, object[]>(
                (level, error, message, arguments) => log.Write(level, error, message, arguments)));
            return assembly;
        }

        /// <summary>What LambdaTraceProvider has to be told with each event; null where there is none.</summary>
        internal static Action<string> TraceTeller()
        {
            MethodInfo teller = assembly?.GetType("Amazon.Lambda.Core.LambdaTraceProvider")?.GetMethod("SetCurrentTraceId", Hidden);
            return teller == null ? null : (Action<string>)Delegate.CreateDelegate(typeof(Action<string>), teller);
        }

        private static void Set(Type logger, string field, Delegate action)
        {
            FieldInfo found = logger?.GetField(field, Hidden);
            if (found != null && found.FieldType == action.GetType())
            {
                found.SetValue(null, action);
            }
        }
    }
}
