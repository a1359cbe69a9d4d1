# frozen_string_literal: true

# Where log records go: the platform's pipe if there is one, on which one record stays one event however many lines it
# has; else standard output.

require_relative "log_formatters"

# A frame is type (4 bytes), length (4), microseconds since the epoch (8), all big-endian, and the message.
class TelemetryLogSink
  FRAME_TYPE = 0xa55a0003

  def initialize(file:)
    @file = file
    @semaphore = Mutex.new
  end

  def write(msg)
    return $stdout.write(msg) if @file.closed?

    microseconds = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)
    head = [FRAME_TYPE, msg.bytesize, microseconds].pack("L>L>Q>")
    locked { @file.write(head, msg) }
  end

  # A logger may try to; what the platform opened stays open.
  def reopen(_log = nil)
    self
  end

  def close; end

  private

  # A signal's handler isn't allowed to wait for a lock, which the thread that it interrupts may have.
  def locked(&block)
    return @semaphore.synchronize(&block) unless @semaphore.try_lock

    begin
      yield
    ensure
      @semaphore.unlock
    end
  rescue ThreadError
    later = Thread.new { @semaphore.synchronize(&block) }
    later.join unless @semaphore.owned?
  end
end

# Loggers that would write to standard output or error: their records are marked with the request, carry AWS's format
# and the function's level, and go to the platform's pipe.
module LoggerPatch
  LEVELS = {
    "TRACE" => Logger::DEBUG,
    "DEBUG" => Logger::DEBUG,
    "INFO" => Logger::INFO,
    "WARN" => Logger::WARN,
    "ERROR" => Logger::ERROR,
    "FATAL" => Logger::FATAL
  }.freeze
  private_constant :LEVELS

  class << self
    attr_reader :level

    def configure
      @is_json = ENV["AWS_LAMBDA_LOG_FORMAT"].to_s.casecmp?("JSON")
      @level = LEVELS[ENV["AWS_LAMBDA_LOG_LEVEL"].to_s.upcase]
    end

    def formatter
      @is_json ? JsonLogFormatter.new : LogFormatter.new
    end
  end

  def initialize(logdev = nil, shift_age = 0, shift_size = 1_048_576, **options)
    if !logdev || logdev == $stdout || logdev == $stderr
      logdev = AwsLambdaRIC::TelemetryLogger.telemetry_log_sink || logdev
      options[:formatter] ||= LoggerPatch.formatter
      options[:level] = LoggerPatch.level if !options.key?(:level) && LoggerPatch.level
    end
    super(logdev, shift_age, shift_size, **options)
  end
end

module AwsLambdaRIC
  # Sends to the platform's pipe what functions write by Logger and `puts`.
  class TelemetryLogger
    class << self
      attr_reader :telemetry_log_sink

      # The function doesn't get to know of the pipe.
      def from_env
        LoggerPatch.configure
        Logger.prepend(LoggerPatch)
        descriptor = ENV.delete("_LAMBDA_TELEMETRY_LOG_FD")
        open(descriptor.to_i) if descriptor
      rescue Errno::EBADF, Errno::EINVAL
        nil # then all goes to standard output
      end

      def close
        @file&.close
      end

      private

      def open(descriptor)
        @file = IO.new(descriptor, "wb")
        @file.sync = true
        @telemetry_log_sink = TelemetryLogSink.new(file: @file)
        Kernel.module_eval do
          def puts(*arg)
            message = arg.flatten.map { |each| each.to_s.encode("UTF-8") }.join("\n")
            message += "\n" unless message.end_with?("\n")
            AwsLambdaRIC::TelemetryLogger.telemetry_log_sink.write(message)
            nil
          end
        end
      end
    end
  end
end
