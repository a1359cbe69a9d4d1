package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class SQSEvent {
    private List<SQSMessage> records;
    public List<SQSMessage> getRecords() { return records; }
    public void setRecords(List<SQSMessage> value) { this.records = value; }

    public static class SQSMessage {
        private String messageId;
        private String body;
        private String md5OfBody;
        private String eventSourceArn;
        private Map<String, String> attributes;
        public String getMessageId() { return messageId; }
        public void setMessageId(String value) { this.messageId = value; }
        public String getBody() { return body; }
        public void setBody(String value) { this.body = value; }
        public String getMd5OfBody() { return md5OfBody; }
        public void setMd5OfBody(String value) { md5OfBody = value; }
        public String getEventSourceArn() { return eventSourceArn; }
        public void setEventSourceArn(String value) { this.eventSourceArn = value; }
        public Map<String, String> getAttributes() { return attributes; }
        public void setAttributes(Map<String, String> value) { this.attributes = value; }
    }
}
