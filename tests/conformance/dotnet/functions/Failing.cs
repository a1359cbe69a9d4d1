using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;

namespace Fn
{
    public class BrokenException : Exception
    {
        public BrokenException(string message, Exception cause)
            : base(message, cause)
        {
        }
    }

    public class SilentException : Exception
    {
        public override string Message => null;
    }

    public class Failing
    {
        public Task Silently() => Task.FromException(new SilentException());

        public string Now(string text)
        {
            try
            {
                throw new InvalidOperationException("the reason");
            }
            catch (InvalidOperationException cause)
            {
                throw new BrokenException("no \"" + text + "\"\nat all", cause);
            }
        }

        public async Task<string> Later(string text)
        {
            await Task.Yield();
            throw new FileNotFoundException(text);
        }

        public string Several(string text)
        {
            throw new AggregateException(new Exception(text + " one"), new Exception(text + " two"));
        }

        public string Huge(int size)
        {
            throw new Exception(new string('x', size));
        }

        public Dictionary<object, Type> Unwritable() => new Dictionary<object, Type> { [1] = typeof(int) };
    }

    public class Unmakeable
    {
        public Unmakeable()
        {
            throw new InvalidOperationException("not made");
        }

        public string Handle() => "never";
    }

    public class Unloadable
    {
        private static readonly int Number = int.Parse("none");

        public static string Handle() => "never" + Number;
    }

    public class Incomplete
    {
        public Incomplete(int number)
        {
        }

        public string Handle() => "never";
    }

    public abstract class Unfinished
    {
        public abstract string Handle();

        public string Instance() => "never";
    }

    public class Generic<T>
    {
        public string Handle() => "never";
    }

    public interface IHandler
    {
        string Handle() => "never";
    }
}
