# frozen_string_literal: true

require "json"
require "logger"

# Ruby's own line format, with the request's id.
class LogFormatter < Logger::Formatter
  def call(severity, time, progname, msg)
    line = format(
      "%<letter>s, [%<time>s #%<process>d] %<severity>5s %<request_id>s -- %<progname>s: %<message>s\n",
      letter: severity[0], time: format_datetime(time), process: Process.pid, severity: severity,
      request_id: $_global_aws_request_id, progname: progname, message: msg2str(msg)
    )
    LambdaErrors.text(line)
  end
end

# One JSON object per record (AWS_LAMBDA_LOG_FORMAT=JSON).
class JsonLogFormatter < Logger::Formatter
  def call(severity, time, progname, msg)
    record = {
      timestamp: time.utc.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"),
      level: severity,
      message: LambdaErrors.text(msg.is_a?(Exception) ? msg.message : msg2str(msg)),
      requestId: $_global_aws_request_id
    }
    record[:logger] = LambdaErrors.text(progname.to_s) unless progname.to_s.empty?
    record.update(failure(msg)) if msg.is_a?(Exception)
    "#{JSON.generate(record.compact)}\n"
  end

  private

  def failure(error)
    trace = Array(error.backtrace).map { |line| LambdaErrors.text(line) }
    {
      errorType: error.class.to_s,
      errorMessage: LambdaErrors.text(error.message),
      stackTrace: trace,
      location: location(trace.first)
    }
  end

  def location(frame)
    found = frame&.match(/\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/)
    found ? "#{found[:file]}:#{found[:method]}:#{found[:line]}" : frame
  end
end
