using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Amazon.Lambda.Core;

namespace Fn
{
    public class Person
    {
        public string Name { get; set; }

        public int Age { get; set; }

        public List<Person> Friends { get; set; }
    }

    public class Derived : Handlers
    {
    }

    public struct Value
    {
        private int calls;

        public int Count(int step) => calls += step;
    }

    public class Handlers
    {
        public Person Older(Person one) => new Person { Name = one.Name, Age = one.Age + 1, Friends = one.Friends };

        public async Task<string> Later(string text, ILambdaContext context)
        {
            await Task.Delay(10);
            return text + context.FunctionVersion;
        }

        public Task<int> Wrapped(int number) => Task.FromResult(number * 2);

        public async Task Nothing(string text)
        {
            await Task.Yield();
            Console.WriteLine("got " + text);
        }

        public void Silent()
        {
        }

        public static string Fixed() => "static";

        internal string Hidden(ILambdaContext context) => "hidden " + context.MemoryLimitInMB;

        public Stream Streamed(Stream input)
        {
            string text = new StreamReader(input).ReadToEnd();
            return new MemoryStream(Encoding.UTF8.GetBytes("[" + text + "]"));
        }

        public Task<MemoryStream> StreamedLater(Stream input, ILambdaContext context)
        {
            return Task.FromResult((MemoryStream)Streamed(input));
        }

        public byte[] Bytes(byte[] bytes) => bytes.Reverse().ToArray();

        [LambdaSerializer(typeof(Serialization.NoisySerializer))]
        public int Own(int number) => number;

        public int Overloaded(int number) => number;

        public string Overloaded(string text) => text + "!";

        public int Sum(int one, int other) => one + other;

        public int Three(int one, int two, int three) => one + two + three;

        public int Many(params int[] numbers) => numbers.Length;

        public T Generic<T>(T one) => one;

        public async void Lost()
        {
            await Task.Yield();
        }

        public string Text(string text) => text;

        public string Sized(int megabytes) => new string('x', megabytes << 20);

        public string[] Told(ILambdaContext context) => new[]
        {
            context.AwsRequestId, context.InvokedFunctionArn, context.LogGroupName, context.LogStreamName,
            context.ClientContext.Client?.AppTitle, context.ClientContext.Custom?["tenant"],
            context.ClientContext.Environment?["make"], context.Identity.IdentityId,
            Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID"),
        };

        public string Variable(string name) => Environment.GetEnvironmentVariable(name);

        public double Left(ILambdaContext context) => context.RemainingTime.TotalMilliseconds;

        public int Calls() => Interlocked.Increment(ref calls);

        public string End(string how)
        {
            if (how == "exit")
            {
                Environment.Exit(3);
            }
            if (how == "crash")
            {
                var thread = new Thread(() => throw new InvalidOperationException("on a thread of its own"));
                thread.Start();
                thread.Join();
            }
            Thread.Sleep(how == "sleep" ? 60000 : 0);
            return how;
        }

        private static int calls;
    }

    /// <summary>What the first version of Amazon.Lambda.Core doesn't have.</summary>
    public class Newer
    {
        public string Told(ILambdaContext context)
        {
            return $"{LambdaTraceProvider.CurrentTraceId == context.TraceId} {context.Serializer?.GetType().Name} "
                + $"{context.TenantId} {context.OfANewerVersion.Year} {context.Logger.IsOfANewerVersion}";
        }
    }
}
