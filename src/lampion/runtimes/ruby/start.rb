# frozen_string_literal: true

# From a process that has the function's environment to one that serves it.

require_relative "loaded_by_aws"
require_relative "runner"
require_relative "telemetry"

# The provisioner gives the C library a locale that every machine has (environments/runtime_programs.py): from it Ruby
# takes the encoding of all strings of the system. The function doesn't get to know of it.
ENV.delete("LC_CTYPE") if ENV["LC_CTYPE"] == "C.utf8"
ENV.delete("_LAMPION_LAYERS") # GEM_PATH and RUBYLIB tell where they are
$stdout.sync = true

module AwsLambdaRIC
  # Reads what the platform says in the environment.
  class Bootstrap
    def start
      LampionRuntime.add_gems_of_interpreter
      TelemetryLogger.from_env
      bootstrap_handler
    end

    def bootstrap_handler
      handler = ENV["_HANDLER"]
      if handler.nil?
        puts "No handler specified, exiting Runtime Interface Client."
        exit
      end
      LambdaRunner.new(fetch_runtime_server).run(Dir.pwd, handler)
    end

    def fetch_runtime_server
      ENV.fetch("AWS_LAMBDA_RUNTIME_API")
    rescue KeyError
      puts "Failed to get runtime server address from AWS_LAMBDA_RUNTIME_API env variable"
      exit(-2)
    end
  end
end
