# frozen_string_literal: true

# What AWS's runtime has loaded before the function: functions use it without a `require`.

module LampionRuntime
  # GEM_PATH names, as on AWS, the function's gems, those of layers and of /var/runtime, where AWS keeps gems of its
  # own. Here these are the interpreter's: they come last, so that none of them hides one of the function's.
  def self.add_gems_of_interpreter
    return unless defined?(Gem) && ENV["GEM_PATH"]

    path = [ENV["GEM_PATH"], *Gem.default_path].join(File::PATH_SEPARATOR)
    Gem.paths = { "GEM_HOME" => ENV["GEM_HOME"], "GEM_PATH" => path }
  end
end

LampionRuntime.add_gems_of_interpreter # of which some libraries are, depending on the version of Ruby
require "json"
require "logger"
require "net/http"
require "stringio"
require "time"
