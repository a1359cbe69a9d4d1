package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class SNSEvent {
    private List<SNSRecord> records;
    public List<SNSRecord> getRecords() { return records; }
    public void setRecords(List<SNSRecord> value) { this.records = value; }

    public static class SNSRecord {
        private SNS sns;
        private String eventSource;
        private String eventSubscriptionArn;
        public SNS getSNS() { return sns; }
        public void setSns(SNS value) { this.sns = value; }
        public String getEventSource() { return eventSource; }
        public void setEventSource(String value) { this.eventSource = value; }
        public String getEventSubscriptionArn() { return eventSubscriptionArn; }
        public void setEventSubscriptionArn(String value) { this.eventSubscriptionArn = value; }
    }

    public static class SNS {
        private String message;
        private String topicArn;
        private String signingCertUrl;
        private Map<String, MessageAttribute> messageAttributes;
        public String getMessage() { return message; }
        public void setMessage(String value) { this.message = value; }
        public String getTopicArn() { return topicArn; }
        public void setTopicArn(String value) { this.topicArn = value; }
        public String getSigningCertUrl() { return signingCertUrl; }
        public void setSigningCertUrl(String value) { this.signingCertUrl = value; }
        public Map<String, MessageAttribute> getMessageAttributes() { return messageAttributes; }
        public void setMessageAttributes(Map<String, MessageAttribute> value) { this.messageAttributes = value; }
    }

    public static class MessageAttribute {
        private String type;
        private String value;
        public String getType() { return type; }
        public void setType(String value) { this.type = value; }
        public String getValue() { return value; }
        public void setValue(String value) { this.value = value; }
    }
}
