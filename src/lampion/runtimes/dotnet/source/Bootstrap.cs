using System;
using System.IO;

namespace Lampion.Runtime
{
    /// <summary>
    /// The .NET runtime of class libraries: loads the handler's method, then answers one invocation after another over
    /// the Runtime API. Its argument is the handler, all else is in its environment. It behaves as AWS's RuntimeSupport
    /// does, down to texts, and needs nothing but .NET Core 3.1; what the function brings it finds by reflection.
    /// </summary>
    public static class Bootstrap
    {
        /// <summary>Ends the process whatever threads the function has left.</summary>
        public static void Main(string[] arguments)
        {
            Environment.Exit(Run(arguments));
        }

        private static int Run(string[] arguments)
        {
            FunctionLog log = FunctionLog.Open();
            Console.SetOut(new LogWriter(log, "Information"));
            Console.SetError(new LogWriter(log, "Error"));
            try
            {
                var api = new RuntimeApi(Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API"));
                Function function = Load(arguments.Length == 0 ? "" : arguments[0], log, api);
                if (function == null)
                {
                    return 1;
                }
                Serve(function, log, api);
                return 0;
            }
            catch (RuntimeApi.EndedException)
            {
                return 0;
            }
        }

        /// <summary>Null after a failure, which was told.</summary>
        private static Function Load(string handler, FunctionLog log, RuntimeApi api)
        {
            try
            {
                AnswerStream.Announce(CoreLibrary.Connect(log), api);
                return FunctionLoader.Load(handler, log);
            }
            catch (Exception error)
            {
                log.Write("Error", error, null, null);
                api.FailInit(ErrorReport.Of(error), ErrorReport.TypeOf(error));
                return null;
            }
        }

        private static void Serve(Function function, FunctionLog log, RuntimeApi api)
        {
            Action<string> tellCore = CoreLibrary.TraceTeller();
            Event current = api.Next();
            while (true)
            {
                log.Attach(current);
                Environment.SetEnvironmentVariable("_X_AMZN_TRACE_ID", current.TraceId);
                tellCore?.Invoke(current.TraceId);
                current = Answer(function, current, log, api);
            }
        }

        /// <summary>The next event.</summary>
        private static Event Answer(Function function, Event current, FunctionLog log, RuntimeApi api)
        {
            MemoryStream output;
            try
            {
                output = function.Call(current);
            }
            catch (Exception error) when (!(error is RuntimeApi.EndedException))
            {
                log.Write("Error", error, null, null);
                return api.IsStreaming ? api.EndStream(error) : api.Fail(current, error);
            }
            return api.IsStreaming ? api.EndStream(null) : api.Respond(current, output);
        }
    }
}
