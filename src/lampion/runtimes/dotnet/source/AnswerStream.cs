using System;
using System.Reflection;
using System.Threading.Tasks;

namespace Lampion.Runtime
{
    /// <summary>What stands behind LambdaResponseStreamFactory, in versions of Amazon.Lambda.Core that have it.</summary>
    internal sealed class AnswerStream
    {
        private const string Place = "Amazon.Lambda.Core.ResponseStreaming.";

        private readonly RuntimeApi api;
        private long written;
        private bool isClosed;

        private AnswerStream(RuntimeApi api)
        {
            this.api = api;
        }

        internal static void Announce(Assembly core, RuntimeApi api)
        {
            Type type = core?.GetType(Place + "ILambdaResponseStream");
            MethodInfo setter = core?.GetType(Place + "LambdaResponseStreamFactory")?.GetMethod(
                "SetLambdaResponseStream", BindingFlags.NonPublic | BindingFlags.Static);
            if (type == null || setter == null)
            {
                return;
            }
            MethodInfo maker = typeof(AnswerStream).GetMethod(nameof(Factory), BindingFlags.NonPublic | BindingFlags.Static);
            setter.Invoke(null, new[] { maker.MakeGenericMethod(type).Invoke(null, new object[] { api }) });
        }

        private static Func<byte[], T> Factory<T>(RuntimeApi api)
        {
            Func<Func<MethodInfo, object[], object>, object> make = null;
            return prelude =>
            {
                make = make ?? StandIn.For(typeof(T));
                return (T)make(Begin(api, prelude).Serve);
            };
        }

        private static AnswerStream Begin(RuntimeApi api, byte[] prelude)
        {
            if (api.IsStreaming)
            {
                throw new InvalidOperationException("A response stream was created already in this invocation.");
            }
            bool hasPrelude = prelude != null && prelude.Length > 0;
            api.BeginStream(hasPrelude);
            if (hasPrelude)
            {
                api.SendPiece(prelude, 0, prelude.Length);
                api.SendPiece(new byte[8], 0, 8);
            }
            return new AnswerStream(api);
        }

        private object Serve(MethodInfo method, object[] arguments)
        {
            switch (method.Name)
            {
                case "WriteAsync":
                    Write((byte[])arguments[0], (int)arguments[1], (int)arguments[2]);
                    return Task.CompletedTask;
                case "Dispose":
                    isClosed = true;
                    return null;
                case "get_BytesWritten":
                    return written;
                default:
                    return null;
            }
        }

        private void Write(byte[] bytes, int offset, int count)
        {
            if (isClosed || !api.IsStreaming)
            {
                throw new InvalidOperationException("Cannot write to a completed stream.");
            }
            written += count;
            api.SendPiece(bytes, offset, count);
        }
    }
}
