package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

public class Unloadable {
    static int number = 1 / Integer.parseInt("0");

    public void handle() { }
}
