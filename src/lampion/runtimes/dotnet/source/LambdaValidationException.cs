using System;

namespace Amazon.Lambda.RuntimeSupport.ExceptionHandling
{
    /// <summary>What can't serve as a function. Its name, which people see in logs, is that of AWS's.</summary>
    public class LambdaValidationException : Exception
    {
        public LambdaValidationException(string message)
            : base(message)
        {
        }
    }
}
