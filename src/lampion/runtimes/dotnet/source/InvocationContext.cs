using System;
using System.Collections.Generic;
using System.Reflection;
using System.Text.Json;

namespace Lampion.Runtime
{
    /// <summary>Makes an ILambdaContext for each event, of whatever version the function brings.</summary>
    internal sealed class InvocationContext
    {
        private readonly Type type;
        private readonly object serializer;
        private readonly FunctionLog log;
        private readonly Func<Func<MethodInfo, object[], object>, object> make;
        private readonly int memoryMegabytes;
        private object logger;

        internal InvocationContext(Type type, object serializer, FunctionLog log)
        {
            this.type = type;
            this.serializer = serializer;
            this.log = log;
            make = StandIn.For(type);
            int.TryParse(Variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), out memoryMegabytes);
        }

        internal object Of(Event current)
        {
            object client = null;
            object identity = null;
            return make((method, arguments) =>
            {
                switch (method.Name)
                {
                    case "get_AwsRequestId": return current.RequestId;
                    case "get_ClientContext": return client ??= ClientContext(current.Json("lambda-runtime-client-context"));
                    case "get_FunctionName": return Variable("AWS_LAMBDA_FUNCTION_NAME");
                    case "get_FunctionVersion": return Variable("AWS_LAMBDA_FUNCTION_VERSION");
                    case "get_Identity": return identity ??= Identity(current.Json("lambda-runtime-cognito-identity"));
                    case "get_InvokedFunctionArn": return current.Header("lambda-runtime-invoked-function-arn");
                    case "get_Logger": return logger ??= StandIn.For(method.ReturnType)(log.Serve);
                    case "get_LogGroupName": return Variable("AWS_LAMBDA_LOG_GROUP_NAME");
                    case "get_LogStreamName": return Variable("AWS_LAMBDA_LOG_STREAM_NAME");
                    case "get_MemoryLimitInMB": return memoryMegabytes;
                    case "get_RemainingTime": return RemainingTime(current);
                    case "get_TraceId": return current.TraceId;
                    case "get_TenantId": return current.Header("lambda-runtime-aws-tenant-id");
                    case "get_Serializer": return serializer;
                    default: return null;
                }
            });
        }

        private static TimeSpan RemainingTime(Event current)
        {
            long.TryParse(current.Header("lambda-runtime-deadline-ms"), out long deadline);
            return TimeSpan.FromMilliseconds(deadline - (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds);
        }

        private object Identity(string json)
        {
            JsonElement told = Parsed(json);
            return StandIn.For(type.GetProperty("Identity").PropertyType)((method, arguments) =>
            {
                switch (method.Name)
                {
                    case "get_IdentityId": return Text(told, "cognitoIdentityId");
                    case "get_IdentityPoolId": return Text(told, "cognitoIdentityPoolId");
                    default: return null;
                }
            });
        }

        private object ClientContext(string json)
        {
            JsonElement told = Parsed(json);
            IDictionary<string, string> environment = Texts(told, "env");
            IDictionary<string, string> custom = Texts(told, "custom");
            object client = null;
            return StandIn.For(type.GetProperty("ClientContext").PropertyType)((method, arguments) =>
            {
                switch (method.Name)
                {
                    case "get_Environment": return environment;
                    case "get_Custom": return custom;
                    case "get_Client": return client ??= Client(told, method.ReturnType);
                    default: return null;
                }
            });
        }

        private static object Client(JsonElement context, Type type)
        {
            if (!Has(context, "client", out JsonElement told))
            {
                return null;
            }
            return StandIn.For(type)((method, arguments) =>
            {
                switch (method.Name)
                {
                    case "get_AppPackageName": return Text(told, "app_package_name");
                    case "get_AppTitle": return Text(told, "app_title");
                    case "get_AppVersionCode": return Text(told, "app_version_code");
                    case "get_AppVersionName": return Text(told, "app_version_name");
                    case "get_InstallationId": return Text(told, "installation_id");
                    default: return null;
                }
            });
        }

        private static JsonElement Parsed(string json)
        {
            return json == null ? default : JsonDocument.Parse(json).RootElement;
        }

        private static bool Has(JsonElement value, string name, out JsonElement member)
        {
            member = default;
            return value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out member)
                && member.ValueKind != JsonValueKind.Null;
        }

        private static string Text(JsonElement value, string name)
        {
            return Has(value, name, out JsonElement member) ? member.ToString() : null;
        }

        private static IDictionary<string, string> Texts(JsonElement value, string name)
        {
            if (!Has(value, name, out JsonElement members) || members.ValueKind != JsonValueKind.Object)
            {
                return null;
            }
            var texts = new Dictionary<string, string>();
            foreach (JsonProperty member in members.EnumerateObject())
            {
                texts[member.Name] = member.Value.ToString();
            }
            return texts;
        }

        private static string Variable(string name)
        {
            return Environment.GetEnvironmentVariable(name);
        }
    }
}
