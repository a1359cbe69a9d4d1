using System;
using System.Collections.Generic;
using System.Text;
using System.Threading.Tasks;
using Amazon.Lambda.Core;
using Amazon.Lambda.Core.ResponseStreaming;

namespace Fn
{
    public class Logging
    {
        public async Task Handle(ILambdaContext context)
        {
            Console.WriteLine("printed\nin two lines é");
            Console.WriteLine(7);
            Console.WriteLine("{0} of {1}", 1, 2);
            await Console.Out.WriteLineAsync("later");
            Console.Error.WriteLine("to the error stream");
            Console.Write("no line");
            context.Logger.Log("plain");
            context.Logger.LogLine("line");
            context.Logger.LogDebug("unseen");
            context.Logger.LogWarning("seen");
            context.Logger.Log("Custom", "of a level of its own");
            LambdaLogger.Log("without a level");
            var product = new { Name = "pen", Price = (int?)null };
            context.Logger.LogInformation(
                "{user} bought {count:000} of {@product} on {day} {none} {{x}}", "Ada", 3, product, DateTime.UnixEpoch, null);
            LambdaLogger.Log(LogLevel.Information, "{1} and {0}", "zero", new byte[] { 1, 255 });
            LambdaLogger.Log(LogLevel.Critical, "list {list} map {map}", new[] { 1.5, 2 }, new Dictionary<string, bool> { ["a"] = true });
            context.Logger.LogError(new InvalidOperationException("logged"), "failed {times}", 2);
            LambdaLogger.Log(LogLevel.Error, new Exception("alone"), null);
        }
    }

    public class Pieces
    {
        public async Task Handle(string how)
        {
            using LambdaResponseStream stream = how == "http"
                ? LambdaResponseStreamFactory.CreateHttpStream(Encoding.UTF8.GetBytes("{\"statusCode\":201}"))
                : LambdaResponseStreamFactory.CreateStream();
            await stream.WriteAsync(Encoding.UTF8.GetBytes("one "));
            await Task.Delay(50);
            await stream.WriteAsync(Encoding.UTF8.GetBytes("two " + stream.Length));
            if (how == "fail")
            {
                throw new InvalidOperationException("in the middle");
            }
        }
    }
}
