# frozen_string_literal: true

# The Runtime API (2018-06-01) over one keep-alive connection.
#
# A Runtime API that offers it takes an answer as the request for the next event too, which halves the work on either
# side: then sending an answer only writes, and waiting for the next invocation reads what became of it. To such a one a
# process that is about to end says so, so that it isn't given another event meanwhile.

require "socket"

module LampionRuntime
  # The Runtime API is gone: this process has nothing left to do.
  class ConnectionEnded < StandardError
  end

  # One invocation as the Runtime API describes it. Names of headers in any case; absent ones are nil.
  class Event
    attr_reader :body

    def initialize(headers, body)
      @headers = headers
      @body = body
    end

    def [](name)
      @headers[name.downcase]
    end

    def offers_next?
      @headers.key?("lampion-runtime-next")
    end
  end

  # One runtime's side of the Runtime API. Every call may raise ConnectionEnded.
  class Client
    PREFIX = "/2018-06-01/runtime/"
    READ_BYTES = 65_536
    HEAD_END = "\r\n\r\n".b.freeze

    def initialize(address)
      host, _, port = address.rpartition(":")
      @host = host
      @port = Integer(port)
      @host_header = "Host: #{address}\r\n"
      @pending = String.new(encoding: Encoding::BINARY)
      @next_is_requested = false
    end

    # Wait for an invocation. Raises LambdaErrors::InvocationError when there can't be any.
    def next_invocation
      if @next_is_requested
        @next_is_requested = false
        status, headers, body = read_answer
        return Event.new(headers, body) if status == 200
      end
      status, headers, body = request_next
      return Event.new(headers, body) if status == 200

      raise LambdaErrors::InvocationError, "Received #{status} when waiting for next invocation."
    end

    # Post how the handler ended; whether that is accepted is, as on AWS, the platform's affair. After the last answer
    # no other event is asked for.
    def respond(event, body, content_type)
      answer(event, "response", body, "Content-Type: #{content_type}\r\n", is_last: false)
    end

    def fail(event, body, error_type, cause, is_last:)
      headers = "#{error_headers(error_type)}#{cause && "Lambda-Runtime-Function-XRay-Error-Cause: #{cause}\r\n"}"
      answer(event, "error", body, headers, is_last: is_last)
    end

    # Post that the handler can't be loaded, or that nothing else can be served.
    def fail_init(body, error_type)
      post("init/error", body, error_headers(error_type))
      read_answer
    end

    private

    def answer(event, kind, body, headers, is_last:)
      id = event["lambda-runtime-invocation-id"]
      headers += "Lambda-Runtime-Invocation-Id: #{id}\r\n" if id
      @next_is_requested = event.offers_next? && !is_last
      headers += "Lampion-Runtime-Next: #{is_last ? "never" : "true"}\r\n" if event.offers_next?
      post("invocation/#{event["lambda-runtime-aws-request-id"]}/#{kind}", body, headers)
      read_answer unless @next_is_requested
    end

    def error_headers(error_type)
      "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: #{error_type}\r\n"
    end

    def request_next
      write("GET #{PREFIX}invocation/next HTTP/1.1\r\n#{@host_header}\r\n")
      read_answer
    rescue ConnectionEnded
      connect # a server may close after each answer; it then hasn't seen this request
      write("GET #{PREFIX}invocation/next HTTP/1.1\r\n#{@host_header}\r\n")
      read_answer
    end

    def post(path, body, headers)
      length = "Content-Length: #{body.bytesize}\r\n\r\n"
      write("POST #{PREFIX}#{path} HTTP/1.1\r\n#{@host_header}#{headers}#{length}", body)
    end

    def connect
      @pending.clear
      @socket = TCPSocket.new(@host, @port)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    rescue SystemCallError
      raise ConnectionEnded
    end

    def write(*parts)
      connect if @socket.nil?
      @socket.write(*parts)
    rescue SystemCallError
      raise ConnectionEnded
    end

    def receive
      @pending << @socket.readpartial(READ_BYTES)
    rescue SystemCallError, IOError
      raise ConnectionEnded
    end

    def read_answer
      receive until (head_bytes = @pending.index(HEAD_END))
      first, *lines = take(head_bytes + 4).force_encoding(Encoding::UTF_8).split("\r\n")
      headers = lines.to_h do |line|
        name, _, value = line.partition(":")
        [name.downcase, value.strip]
      end
      is_chunked = headers["transfer-encoding"]&.casecmp?("chunked")
      [first[9, 3].to_i, headers, is_chunked ? read_chunks : take(headers["content-length"].to_i)]
    end

    def take(size)
      return take_large(size) if size > @pending.bytesize + READ_BYTES

      receive while @pending.bytesize < size
      @pending.slice!(0, size)
    end

    # What is missing in one read, which doesn't grow a string bit by bit.
    def take_large(size)
      missing = size - @pending.bytesize
      rest = @socket.read(missing)
      raise ConnectionEnded if rest.nil? || rest.bytesize < missing

      taken = @pending << rest
      @pending = String.new(encoding: Encoding::BINARY)
      taken
    rescue SystemCallError
      raise ConnectionEnded
    end

    def read_chunks
      body = String.new(encoding: Encoding::BINARY)
      until (size = line.to_i(16)).zero?
        body << take(size)
        line
      end
      nil until line.empty? # trailers
      body
    end

    def line
      receive until (length = @pending.index("\r\n"))
      take(length + 2).chomp("\r\n")
    end
  end
end
