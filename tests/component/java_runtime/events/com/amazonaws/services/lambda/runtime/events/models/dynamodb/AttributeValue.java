package com.amazonaws.services.lambda.runtime.events.models.dynamodb;

import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** As far as tests need it, and spelt as AWS's library spells it. */
public class AttributeValue {
    private String s;
    private String n;
    private ByteBuffer b;
    private List<String> sS;
    private Map<String, AttributeValue> m;
    private List<AttributeValue> l;
    private Boolean nULLValue;
    private Boolean bOOL;
    public String getS() { return s; }
    public void setS(String value) { this.s = value; }
    public String getN() { return n; }
    public void setN(String value) { this.n = value; }
    public ByteBuffer getB() { return b; }
    public void setB(ByteBuffer value) { this.b = value; }
    public List<String> getSS() { return sS; }
    public void setSS(List<String> value) { this.sS = value; }
    public Map<String, AttributeValue> getM() { return m; }
    public void setM(Map<String, AttributeValue> value) { this.m = value; }
    public List<AttributeValue> getL() { return l; }
    public void setL(List<AttributeValue> value) { this.l = value; }
    public Boolean getNULL() { return nULLValue; }
    public void setNULL(Boolean value) { this.nULLValue = value; }
    public Boolean getBOOL() { return bOOL; }
    public void setBOOL(Boolean value) { this.bOOL = value; }
}
