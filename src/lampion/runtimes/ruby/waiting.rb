# frozen_string_literal: true

# A process that has started and waits to become a function's: copies of itself do. Whatever is loaded here is in the
# memory of every Ruby function of this interpreter, so it holds nothing of any function.

require_relative "loaded_by_aws"
require_relative "runner"

module LampionRuntime
  module Waiting
    ORDERS_DESCRIPTOR = 4

    class << self
      # Serve as a zygote; returns in a copy that has learned which function it is, with that function's environment.
      def become_copy
        settle
        serve
        take_orders
        start_anew if is_overtaken?
        $LOAD_PATH.unshift(*own_libraries)
      end

      private

      # What copies would do to memory that all share, done once.
      def settle
        Process.respond_to?(:warmup) ? Process.warmup : 3.times { GC.start }
      end

      # In this process `fork` is the platform's (sandbox/launcher/zygote/ruby_fork.c): it returns in each copy, and
      # fails when nobody will ask for another one. Where it isn't, this is no zygote.
      def serve
        before = orders_inode
        exit!(1) if fork || orders_inode == before
      rescue SystemCallError
        exit!(0)
      end

      def orders_inode
        IO.for_fd(ORDERS_DESCRIPTOR, autoclose: false).stat.ino
      end

      # The function's environment, NAME=VALUE with a NUL after each, becomes this process's own.
      def take_orders
        orders = IO.open(ORDERS_DESCRIPTOR, "rb", &:read)
        exit!(0) if orders.empty? # whoever would have given them has gone
        ENV.replace(orders.split("\0").to_h { |variable| variable.split("=", 2) })
        Dir.chdir(ENV["PWD"] || "/")
      end

      def own_libraries
        ENV["RUBYLIB"].to_s.split(":").reject(&:empty?).map { |directory| File.expand_path(directory) }
      end

      # Whether a process that starts now would load something of the function's where this one has the interpreter's.
      def is_overtaken?
        gem_directories.any? { |directory| gems_in(directory).any? { |name, version| overtakes?(name, version) } } ||
          own_libraries.any? { |directory| files_in(directory).any? { |file| loaded_names.key?(file) } }
      end

      def gem_directories
        ENV["GEM_PATH"].to_s.split(":").push(ENV["GEM_HOME"].to_s).reject(&:empty?)
      end

      def gems_in(directory)
        files_in(File.join(directory, "specifications")).filter_map do |file|
          file.match(/\A(.+)-(\d[^-]*)(?:-.*)?\.gemspec\z/)&.captures
        end
      end

      # Of several versions Ruby loads the newest.
      def overtakes?(name, version)
        loaded = Gem.loaded_specs[name]
        loaded && Gem::Version.new(version) > loaded.version
      end

      # Of libraries that lie in a directory of their own, its name says enough.
      def loaded_names
        @loaded_names ||= $LOADED_FEATURES.each_with_object({}) do |feature, names|
          root = $LOAD_PATH.find { |directory| feature.start_with?("#{directory}/") }
          names[feature.delete_prefix("#{root}/").split("/").first] = true if root
        end
      end

      def files_in(directory)
        Dir.children(directory)
      rescue SystemCallError
        []
      end

      def start_anew
        exec(RbConfig.ruby, File.join(__dir__, "bootstrap.rb"))
      end
    end
  end
end
