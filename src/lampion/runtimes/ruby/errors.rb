# frozen_string_literal: true

# What becomes of an exception: the payload that is posted, and the X-Ray cause.

module LambdaErrors
  class InvocationError < StandardError
  end

  # An exception and whose fault it is.
  class LambdaError < StandardError
    MOST_FRAMES = 100
    TOLD_BY_NAME = %w[
      ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError
    ].freeze

    def initialize(original_error, classification = "Function")
      @error_class = original_error.class.to_s
      @error_type = "#{classification}<#{@error_class}>"
      @error_message = LambdaErrors.text(original_error.message)
      @stack_trace = (original_error.backtrace_locations || []).first(MOST_FRAMES)
      super(@error_message)
    end

    # For the platform's own eyes, which classes of functions are none of.
    def runtime_error_type
      TOLD_BY_NAME.include?(@error_class) ? @error_type : "Function<UserException>"
    end

    def to_lambda_response
      {
        errorMessage: @error_message,
        errorType: @error_type,
        stackTrace: @stack_trace.map { |frame| LambdaErrors.text(frame.to_s) }
      }
    end

    # As X-Ray wants it, on one line.
    def xray_cause
      stack = @stack_trace.first(15).map do |frame|
        { path: LambdaErrors.text(frame.path.to_s), line: frame.lineno, label: LambdaErrors.text(frame.label.to_s) }
      end
      JSON.generate(
        working_directory: Dir.pwd,
        paths: defined?(Gem) ? Gem.paths.path : [],
        exceptions: [{ message: @error_message, type: @error_type, stack: stack }]
      )
    end
  end

  # The handler's, after which it can be called again.
  class LambdaHandlerError < LambdaError
  end

  # The handler's, after which the process ends.
  class LambdaHandlerCriticalException < LambdaError
  end

  class LambdaRuntimeError < LambdaError
    def initialize(original_error)
      super(original_error, "Runtime")
    end
  end

  class LambdaRuntimeInitError < LambdaError
    def initialize(original_error)
      super(original_error, "Init")
    end
  end

  # Whatever bytes a message has, JSON can carry this. A message may be anything; nil stays nil.
  def self.text(message)
    return if message.nil?

    text = message.to_s
    text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
    text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace, replace: "\u{FFFD}")
  end
end
