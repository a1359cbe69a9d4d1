package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Unmakeable {
    public Unmakeable() { throw new IllegalStateException("not made"); }

    public void handle() { }
}
