package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class ScheduledEvent {
    private String detailType;
    private String source;
    private Map<String, Object> detail;
    private List<String> resources;
    public String getDetailType() { return detailType; }
    public void setDetailType(String value) { this.detailType = value; }
    public String getSource() { return source; }
    public void setSource(String value) { this.source = value; }
    public Map<String, Object> getDetail() { return detail; }
    public void setDetail(Map<String, Object> value) { this.detail = value; }
    public List<String> getResources() { return resources; }
    public void setResources(List<String> value) { this.resources = value; }
}
