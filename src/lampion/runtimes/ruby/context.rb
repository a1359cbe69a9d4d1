# frozen_string_literal: true

# What a handler gets as `context` (Lambda developer guide, "Using the Lambda context object to retrieve Ruby function
# information").
class LambdaContext
  W3C_FIELDS = %w[traceparent tracestate baggage].freeze
  private_constant :W3C_FIELDS

  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :tenant_id, :client_context, :deadline_ms

  def initialize(request)
    @clock_diff = milliseconds(Process::CLOCK_REALTIME) - milliseconds(Process::CLOCK_MONOTONIC)
    @deadline_ms = request["Lambda-Runtime-Deadline-Ms"].to_i
    @aws_request_id = request["Lambda-Runtime-Aws-Request-Id"]
    @invoked_function_arn = request["Lambda-Runtime-Invoked-Function-Arn"]
    @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
    @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
    @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
    @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
    @identity = parsed(request["Lambda-Runtime-Cognito-Identity"])
    tenant_id = request["Lambda-Runtime-Aws-Tenant-Id"]
    @tenant_id = tenant_id unless tenant_id.to_s.empty?
    @client_context = parsed(request["Lambda-Runtime-Client-Context"])
    @w3c_fields = take_w3c(@client_context)
  end

  # Milliseconds until the invocation times out; never negative.
  def get_remaining_time_in_millis
    [@deadline_ms - milliseconds(Process::CLOCK_MONOTONIC) - @clock_diff, 0].max
  end

  # The W3C trace context of the invocation.
  def w3c
    @w3c_fields.dup
  end

  private

  def milliseconds(clock)
    Process.clock_gettime(clock, :millisecond)
  end

  def parsed(text)
    JSON.parse(text) unless text.to_s.empty?
  end

  # Remove the trace context from the caller's context: it isn't the caller's to see.
  def take_w3c(client_context)
    w3c = client_context.is_a?(Hash) ? client_context.delete("w3c") : nil
    w3c.is_a?(Hash) ? w3c.slice(*W3C_FIELDS).select { |_, value| value.is_a?(String) } : {}
  end
end
