# frozen_string_literal: true

require_relative "client"
require_relative "context"
require_relative "errors"
require_relative "handler"
require_relative "telemetry"

module AwsLambdaRIC
  # Loads the function's code and runs it upon invocation. Exit statuses are AWS's.
  class LambdaRunner
    HANDLER_FAILED = -1
    ANSWER_FAILED = -2
    INIT_FAILED = -4
    MOST_CAUSE_BYTES = 1024 * 1024

    def initialize(address)
      @client = LampionRuntime::Client.new(address)
      @is_active = true
      @exit_code = 0
    end

    def run(app_root, handler)
      $LOAD_PATH.unshift(app_root) unless $LOAD_PATH.include?(app_root)
      begin
        @lambda_handler = LambdaHandler.new(env_handler: handler)
        require @lambda_handler.handler_file_name
        start_runtime_loop
      rescue LampionRuntime::ConnectionEnded
        @exit_code = 0
      rescue Exception => e
        @exit_code = INIT_FAILED
        send_init_error_to_server(e)
      ensure
        TelemetryLogger.close
      end
      exit(@exit_code)
    end

    private

    def start_runtime_loop
      while @is_active
        event = wait_for_invocation
        run_user_code(event) if event
      end
    end

    # nil when the process is asked to end.
    def wait_for_invocation
      event = @client.next_invocation
      $_global_aws_request_id = event["Lambda-Runtime-Aws-Request-Id"]
      trace_id = event["Lambda-Runtime-Trace-Id"]
      ENV["_X_AMZN_TRACE_ID"] = trace_id if trace_id
      @request = AwsLambda::Marshaller.marshall_request(event)
      event
    rescue SignalException => e
      puts "Next invocation HTTP request from the runtime interface client was interrupted with a #{e} SIGNAL, " \
           "gracefully shutting down."
      @is_active = false
      nil
    end

    def run_user_code(event)
      context = LambdaContext.new(event)
      response, content_type = @lambda_handler.call_handler(request: @request, context: context)
      send_response(event, response, content_type)
    rescue LambdaErrors::LambdaHandlerError => e
      log_error(e, "Error raised from handler method")
      send_error_response(event, e, is_last: false)
    rescue LambdaErrors::LambdaHandlerCriticalException => e
      log_error(e, "Critical exception from handler")
      end_with(HANDLER_FAILED)
      send_error_response(event, e, is_last: true)
    rescue LambdaErrors::LambdaRuntimeError => e
      end_with(ANSWER_FAILED)
      send_error_response(event, e, is_last: true)
    end

    def send_response(event, response, content_type)
      body = content_type == "application/unknown" ? read_out(response) : response.to_s
      @client.respond(event, body, content_type || "application/json")
    end

    def read_out(response)
      response.read
    rescue StandardError => e
      raise LambdaErrors::LambdaRuntimeError.new(e)
    end

    def send_error_response(event, error, is_last:)
      body = error.to_lambda_response.to_json
      cause = error.xray_cause
      cause = nil if cause.bytesize >= MOST_CAUSE_BYTES
      @client.fail(event, body, error.runtime_error_type, cause, is_last: is_last)
    end

    def send_init_error_to_server(error)
      failure = LambdaErrors::LambdaRuntimeInitError.new(error)
      log_error(failure, "Init error when loading handler ")
      @client.fail_init(failure.to_lambda_response.to_json, failure.runtime_error_type)
    rescue LampionRuntime::ConnectionEnded
      nil # nobody is left who wants to know
    end

    def log_error(error, message)
      puts message
      puts JSON.pretty_generate(error.to_lambda_response)
    end

    def end_with(exit_code)
      @exit_code = exit_code
      @is_active = false
    end
  end
end
