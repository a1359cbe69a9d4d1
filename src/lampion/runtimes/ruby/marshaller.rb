# frozen_string_literal: true

module AwsLambda
  # Between bodies of the Runtime API and a handler's values. Functions may replace both methods, as on AWS.
  class Marshaller
    class << self
      # The event: JSON as Ruby values, anything else as it is.
      def marshall_request(raw_request)
        raw_request["Content-Type"] == "application/json" ? JSON.parse(raw_request.body) : raw_request.body
      end

      # The body, or body and content type; what can be read is answered as it is.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO
          [method_response, "application/unknown"]
        else
          method_response.to_json
        end
      end
    end
  end
end
