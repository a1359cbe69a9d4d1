using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Amazon.Lambda.Core;

[assembly: LambdaSerializer(typeof(Serialization.TextJsonSerializer))]

namespace Dotnet
{
    /// <summary>Echoes, or fails, or tells what it finds around it: what its event and environment ask for.</summary>
    public class Function
    {
        public object FunctionHandler(JsonElement input, ILambdaContext context)
        {
            if (input.ValueKind == JsonValueKind.Object && input.TryGetProperty("error_msg", out JsonElement message))
            {
                throw new Exception("Error: " + message.GetString());
            }
            string wrapper = Environment.GetEnvironmentVariable("WRAPPED_BY");
            if (wrapper != null)
            {
                string handler = Environment.GetEnvironmentVariable("_HANDLER");
                return new Dictionary<string, string> { ["WRAPPED_BY"] = wrapper, ["_HANDLER"] = handler };
            }
            return Environment.GetEnvironmentVariable("TEST_KEY") == null ? (object)input : Surroundings(context);
        }

        private static object Surroundings(ILambdaContext context)
        {
            var about = new Dictionary<string, object>
            {
                ["aws_request_id"] = context.AwsRequestId,
                ["function_name"] = context.FunctionName,
                ["function_version"] = context.FunctionVersion,
                ["invoked_function_arn"] = context.InvokedFunctionArn,
                ["log_group_name"] = context.LogGroupName,
                ["log_stream_name"] = context.LogStreamName,
                ["memory_limit_in_mb"] = context.MemoryLimitInMB.ToString(),
                ["remaining_time_in_millis"] = (long)context.RemainingTime.TotalMilliseconds,
            };
            return new { ctx = about, environment = Environment.GetEnvironmentVariables(), packages = Array.Empty<string>() };
        }
    }
}
