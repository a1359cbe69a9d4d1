# frozen_string_literal: true

# The Ruby runtime: loads the handler, then answers one invocation after another over the Runtime API.
#
# Started as `ruby /var/runtime/bootstrap.rb`; with `--zygote` it waits to be copied (waiting.rb). It behaves as AWS's
# own runtime client does, down to texts and exit statuses, so what a function gets to see of it (classes, methods in
# stack traces, a global variable) bears the names that it has there.

waits = ARGV == ["--zygote"]
if waits
  ARGV.clear
  require_relative "waiting"
  LampionRuntime::Waiting.become_copy
end
require_relative "start"
AwsLambdaRIC::Bootstrap.new.start
