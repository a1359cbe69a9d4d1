// What functions use of AWS's package Amazon.Lambda.Core, written from its public documentation; with OLD as its first
// version had it, with neither levels nor what came after.
using System;
using System.Collections.Generic;
using System.IO;

[assembly: System.Reflection.AssemblyVersion("1.0.0.0")]

namespace Amazon.Lambda.Core
{
    public interface ILambdaContext
    {
        string AwsRequestId { get; }

        IClientContext ClientContext { get; }

        string FunctionName { get; }

        string FunctionVersion { get; }

        ICognitoIdentity Identity { get; }

        string InvokedFunctionArn { get; }

        ILambdaLogger Logger { get; }

        string LogGroupName { get; }

        string LogStreamName { get; }

        int MemoryLimitInMB { get; }

        TimeSpan RemainingTime { get; }
#if !OLD

        string TenantId => string.Empty;

        string TraceId => string.Empty;

        ILambdaSerializer Serializer => null;

        DateTime OfANewerVersion => DateTime.MaxValue;
#endif
    }

    public interface IClientContext
    {
        IDictionary<string, string> Environment { get; }

        IClientApplication Client { get; }

        IDictionary<string, string> Custom { get; }
    }

    public interface IClientApplication
    {
        string AppPackageName { get; }

        string AppTitle { get; }

        string AppVersionCode { get; }

        string AppVersionName { get; }

        string InstallationId { get; }
    }

    public interface ICognitoIdentity
    {
        string IdentityId { get; }

        string IdentityPoolId { get; }
    }

    public interface ILambdaSerializer
    {
        T Deserialize<T>(Stream requestStream);

        void Serialize<T>(T response, Stream responseStream);
    }

    public interface ILambdaLogger
    {
        void Log(string message);

        void LogLine(string message);
#if !OLD

        void Log(string level, string message) => LogLine(message);

        void Log(LogLevel level, string message) => Log(level.ToString(), message);

        void Log(string level, string message, params object[] args) => Log(level, message);

        void Log(string level, Exception exception, string message, params object[] args) => Log(level, message, args);

        void LogDebug(string message) => Log(LogLevel.Debug.ToString(), message);

        void LogInformation(string message, params object[] args) => Log(LogLevel.Information.ToString(), message, args);

        bool IsOfANewerVersion => true;

        void LogWarning(string message) => Log(LogLevel.Warning.ToString(), message);

        void LogError(Exception exception, string message, params object[] args) =>
            Log(LogLevel.Error.ToString(), exception, message, args);
#endif
    }

    [AttributeUsage(AttributeTargets.Method | AttributeTargets.Assembly)]
    public sealed class LambdaSerializerAttribute : Attribute
    {
        public LambdaSerializerAttribute(Type serializerType)
        {
            SerializerType = serializerType;
        }

        public Type SerializerType { get; set; }
    }

    public static class LambdaLogger
    {
        private static Action<string> _loggingAction = Console.WriteLine;

        public static void Log(string message) => _loggingAction(message);
#if !OLD

        private static Action<string, string, object[]> _loggingWithLevelAction;
        private static Action<string, Exception, string, object[]> _loggingWithLevelAndExceptionAction;

        public static void Log(LogLevel level, string message, params object[] args) =>
            _loggingWithLevelAction(level.ToString(), message, args);

        public static void Log(LogLevel level, Exception exception, string message, params object[] args) =>
            _loggingWithLevelAndExceptionAction(level.ToString(), exception, message, args);
#endif
    }
#if !OLD

    public enum LogLevel
    {
        Trace,
        Debug,
        Information,
        Warning,
        Error,
        Critical,
    }

    public class LambdaTraceProvider
    {
        public static string CurrentTraceId { get; private set; }

        internal static void SetCurrentTraceId(string traceId) => CurrentTraceId = traceId;
    }
#endif
}
#if !OLD

namespace Amazon.Lambda.Core.ResponseStreaming
{
    using System.Threading;
    using System.Threading.Tasks;

    internal interface ILambdaResponseStream : IDisposable
    {
        Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken = default);

        long BytesWritten { get; }

        bool HasError { get; }
    }

    public static class LambdaResponseStreamFactory
    {
        private static Func<byte[], ILambdaResponseStream> streamFactory;

        internal static void SetLambdaResponseStream(Func<byte[], ILambdaResponseStream> factory) => streamFactory = factory;

        public static LambdaResponseStream CreateStream() => new LambdaResponseStream(streamFactory(Array.Empty<byte>()));

        public static LambdaResponseStream CreateHttpStream(byte[] prelude) => new LambdaResponseStream(streamFactory(prelude));
    }

    public class LambdaResponseStream : IDisposable
    {
        private readonly ILambdaResponseStream inner;

        internal LambdaResponseStream(ILambdaResponseStream inner)
        {
            this.inner = inner;
        }

        public long Length => inner.BytesWritten;

        public Task WriteAsync(byte[] bytes) => inner.WriteAsync(bytes, 0, bytes.Length);

        public void Dispose() => inner.Dispose();
    }
}
#endif
