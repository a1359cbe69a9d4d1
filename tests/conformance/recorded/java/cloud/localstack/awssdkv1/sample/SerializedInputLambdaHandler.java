package cloud.localstack.awssdkv1.sample;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** Takes and returns an object with members of its own; the recording shows which. */
public class SerializedInputLambdaHandler
        implements RequestHandler<SerializedInputLambdaHandler.Place, SerializedInputLambdaHandler.Place> {
    public static class Place {
        private String bucket;
        private String key;
        private boolean validated;

        public String getBucket() {
            return bucket;
        }

        public void setBucket(String bucket) {
            this.bucket = bucket;
        }

        public String getKey() {
            return key;
        }

        public void setKey(String key) {
            this.key = key;
        }

        public boolean isValidated() {
            return validated;
        }

        public void setValidated(boolean validated) {
            this.validated = validated;
        }
    }

    @Override
    public Place handleRequest(Place place, Context context) {
        place.setValidated(!place.getBucket().isEmpty() && !place.getKey().isEmpty());
        return place;
    }
}
