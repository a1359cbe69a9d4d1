package com.amazonaws.services.lambda.runtime.events.models.dynamodb;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class StreamRecord {
    private Date approximateCreationDateTime;
    private Map<String, AttributeValue> keys;
    private Map<String, AttributeValue> newImage;
    private String sequenceNumber;
    private Long sizeBytes;
    private String streamViewType;
    public Date getApproximateCreationDateTime() { return approximateCreationDateTime; }
    public void setApproximateCreationDateTime(Date value) { this.approximateCreationDateTime = value; }
    public Map<String, AttributeValue> getKeys() { return keys; }
    public void setKeys(Map<String, AttributeValue> value) { this.keys = value; }
    public Map<String, AttributeValue> getNewImage() { return newImage; }
    public void setNewImage(Map<String, AttributeValue> value) { this.newImage = value; }
    public String getSequenceNumber() { return sequenceNumber; }
    public void setSequenceNumber(String value) { this.sequenceNumber = value; }
    public Long getSizeBytes() { return sizeBytes; }
    public void setSizeBytes(Long value) { this.sizeBytes = value; }
    public String getStreamViewType() { return streamViewType; }
    public void setStreamViewType(String value) { this.streamViewType = value; }
}
