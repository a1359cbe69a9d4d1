package com.amazonaws.services.lambda.runtime.events;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class CloudFormationCustomResourceEvent {
    private String requestType;
    private String responseUrl;
    private Map<String, Object> resourceProperties;
    public String getRequestType() { return requestType; }
    public void setRequestType(String value) { this.requestType = value; }
    public String getResponseUrl() { return responseUrl; }
    public void setResponseUrl(String value) { this.responseUrl = value; }
    public Map<String, Object> getResourceProperties() { return resourceProperties; }
    public void setResourceProperties(Map<String, Object> value) { this.resourceProperties = value; }
}
