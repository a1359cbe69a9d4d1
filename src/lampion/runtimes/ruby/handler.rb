# frozen_string_literal: true

require_relative "errors"
require_relative "marshaller"

# Calls the method that a function's handler names: FILENAME.METHOD or FILENAME.CLASS.METHOD. A method that belongs to
# no class is called on this object, whose instance variables the function therefore has across its invocations.
class LambdaHandler
  attr_reader :handler_file_name, :handler_method_name

  def initialize(env_handler:)
    parts = env_handler.split(".")
    case parts.size
    when 2
      @handler_file_name, @handler_method_name = parts
    when 3
      @handler_file_name, @handler_class, @handler_method_name = parts
    else
      raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD " \
                           "where FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an " \
                           "optional module/class namespace and METHOD is a callable method. If using CLASS, " \
                           "METHOD must be a class-level method."
    end
  end

  # A wrong name ends the process, as on AWS, and so does what isn't meant to be rescued.
  def call_handler(request:, context:)
    arguments = { event: request, context: context }
    response =
      if @handler_class
        Kernel.const_get(@handler_class).send(@handler_method_name, **arguments)
      else
        __send__(@handler_method_name, **arguments)
      end
    AwsLambda::Marshaller.marshall_response(response)
  rescue NameError => e
    raise LambdaErrors::LambdaHandlerCriticalException.new(e)
  rescue StandardError => e
    raise LambdaErrors::LambdaHandlerError.new(e)
  rescue Exception => e
    raise LambdaErrors::LambdaHandlerCriticalException.new(e)
  end
end
