import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Date;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;

/** Classes as functions have them, one oddity each; `types` is every type that a case may name, by its field's name. */
public class Shapes {
    public enum Colour { RED, GREEN }

    public static class Plain {
        private String name;
        private int count;
        private Boolean open;
        private double weight;
        private List<String> tags;
        private Plain inner;

        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
        public int getCount() { return count; }
        public void setCount(int count) { this.count = count; }
        public Boolean isOpen() { return open; }
        public void setOpen(Boolean open) { this.open = open; }
        public double getWeight() { return weight; }
        public void setWeight(double weight) { this.weight = weight; }
        public List<String> getTags() { return tags; }
        public void setTags(List<String> tags) { this.tags = tags; }
        public Plain getInner() { return inner; }
        public void setInner(Plain inner) { this.inner = inner; }
    }

    /** Names that JavaBeans and people spell differently. */
    public static class Names {
        private String URL;
        private String aField;
        private String x;
        private String eTag;

        public String getURL() { return URL; }
        public void setURL(String url) { this.URL = url; }
        public String getAField() { return aField; }
        public void setAField(String value) { this.aField = value; }
        public String getX() { return x; }
        public void setX(String x) { this.x = x; }
        public String geteTag() { return eTag; }
        public void seteTag(String eTag) { this.eTag = eTag; }
        public String get() { return "no property"; }
        public boolean is() { return true; }
        public boolean isReady() { return true; }
        public String isText() { return "no property"; }
        public static String getStatic() { return "no property"; }
        public void setOnly(String only) { this.x = "only " + only; }
    }

    public static class Fields {
        public String open;
        public final String fixed = new String("fixed");
        public transient String passing = "passing";
        protected String guarded = "guarded";
        private String hidden = "hidden";
        static String shared = "shared";
        private String secret = "secret";
        private void setSecret(String secret) { this.secret = secret; }
        public String getHidden() { return hidden; }
        String getGuarded() { return guarded; }
        public String told() { return secret + hidden + guarded; }
        public List<String> getGrown() { return new ArrayList<>(); }
    }

    public static class Base {
        private String id;
        public String getId() { return id; }
        public void setId(String id) { this.id = id; }
    }

    public static class Derived extends Base {
        private String more = "more";
        public String getMore() { return more; }
        public Derived setMore(String more) { this.more = more; return this; }
    }

    public static class Page<T> {
        private List<T> items;
        private T first;
        private Map<String, T[]> groups;
        public List<T> getItems() { return items; }
        public void setItems(List<T> items) { this.items = items; }
        public T getFirst() { return first; }
        public void setFirst(T first) { this.first = first; }
        public Map<String, T[]> getGroups() { return groups; }
        public void setGroups(Map<String, T[]> groups) { this.groups = groups; }
    }

    public static class PlainPage extends Page<Plain> {}

    public static class Overloaded {
        private String value;
        public String getValue() { return value; }
        public void setValue(String value) { this.value = "text " + value; }
        public void setValue(int value) { this.value = "number " + value; }
    }

    public static class Hard {
        private final String made;
        public Hard(String made) { this.made = made; }
        public String getMade() { return made; }
    }

    public static class Private {
        private String name;
        private Private() {}
        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
    }

    public static class Failing {
        public String getName() { throw new IllegalStateException("no name"); }
        public void setName(String name) { throw new IllegalStateException("no " + name); }
    }

    public class Inner {
        public String name;
    }

    public abstract static class Abstract {
        public String name;
    }

    public static class Kinds {
        public byte b;
        public short s;
        public long l;
        public float f;
        public char c;
        public Character boxed;
        public BigDecimal decimal;
        public BigInteger whole;
        public Number number;
        public Object any;
        public Date date;
        public UUID uuid;
        public byte[] bytes;
        public char[] characters;
        public int[] ints;
        public int[][] matrix;
        public Colour colour;
        public Set<Colour> colours;
        public EnumMap<Colour, Integer> byColour;
        public Map<Integer, String> byNumber;
        public SortedMap<String, Long> sorted;
        public Optional<String> maybe;
    }

    public static class Empty {}

    public static class Nulls {
        public String none;
        public Map<String, Object> map = new java.util.LinkedHashMap<>();
        public List<Object> list = new ArrayList<>();
        public Nulls() {
            map.put("none", null);
            map.put("some", 1);
            list.add(null);
        }
    }

    /** Values that are only ever written. */
    public static class Written {
        public Base declared = derived();
        public Object dynamic = derived();
        public float single = 0.1f;
        public double big = 1e21;
        public double nan = Double.NaN;
        public Float infinite = Float.NEGATIVE_INFINITY;
        public BigDecimal decimal = new BigDecimal("1E+3");
        public char[] characters = {'a', 'b'};
        public Character[] boxes = {'a', null};
        public byte[] bytes = {1, 2, -1};
        public java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(new byte[] {1, 2});
        public boolean[] flags = {true, false};
        public Class<?> type = String.class;
        public java.util.TimeZone zone = java.util.TimeZone.getTimeZone("UTC");
        public java.util.Currency currency = java.util.Currency.getInstance("EUR");
        public java.util.regex.Pattern pattern = java.util.regex.Pattern.compile("a+");
        public java.util.concurrent.atomic.AtomicLong atomic = new java.util.concurrent.atomic.AtomicLong(5);
        public java.util.concurrent.atomic.AtomicBoolean truth = new java.util.concurrent.atomic.AtomicBoolean(true);
        public Map<Object, Object> keys = new java.util.LinkedHashMap<>();
        public java.util.Iterator<String> iterator = java.util.Arrays.asList("a", "b").iterator();
        public Optional<Plain> full = Optional.of(new Plain());
        public Optional<Plain> none = Optional.empty();
        public java.util.OptionalInt number = java.util.OptionalInt.of(5);
        public java.util.OptionalInt noNumber = java.util.OptionalInt.empty();
        public List<Optional<String>> options = java.util.Arrays.asList(Optional.of("a"), Optional.empty());
        public Object object = new Object();
        public CharSequence sequence = new StringBuilder("built");
        public Date date = new Date(0);
        public java.sql.Timestamp stamp = new java.sql.Timestamp(5);
        public java.util.Calendar calendar = new java.util.GregorianCalendar(java.util.TimeZone.getTimeZone("UTC"));
        public Map.Entry<String, Integer> entry = new java.util.AbstractMap.SimpleEntry<>("k", 1);
        public Colour loud = Colour.RED;

        public Written() {
            calendar.setTimeInMillis(7);
            keys.put(Colour.RED, 1);
            keys.put(2, 2);
            keys.put(true, 3);
            keys.put(new Date(0), 4);
            keys.put("none", null);
        }

        private static Base derived() {
            Derived made = new Derived();
            made.setId("1");
            return made;
        }
    }

    public static class Cyclic {
        public Cyclic self = this;
    }

    public static class Lone {
        public String half = "\ud83d";
    }

    public static class Times {
        public java.time.Instant instant;
        public java.time.LocalDate date;
        public java.time.LocalDateTime local;
        public java.time.LocalTime time;
        public java.time.OffsetDateTime offset;
        public java.time.ZonedDateTime zoned;
        public java.time.Duration duration;
        public java.time.Period period;
        public java.time.Year year;
        public java.time.YearMonth yearMonth;
        public java.time.ZoneId zone;
    }

    // the types that cases name
    public Written written;
    public Cyclic cyclic;
    public Lone lone;
    public Times times;
    public Optional<Plain> maybe;
    public java.util.OptionalInt maybeNumber;
    public Map<Colour, String> byColour;
    public Map<UUID, String> byId;
    public Map<Long, String> byLong;
    public Map<Boolean, String> byTruth;
    public Page<List<Map<String, Plain>>> nested;
    public Page[] pages;
    public List<Plain>[] lists;
    public Colour[] colours;
    public Short small;
    public byte tiny;
    public char letter;
    public UUID uuid;
    public byte[] bytes;
    public Class<?> type;
    public java.io.File file;
    public java.util.TimeZone timeZone;
    public java.sql.Timestamp stamp;
    public Void nothing;
    public Double boxedFraction;
    public Float boxedSmall;
    public Long boxedLarge;
    public Exception thrown;
    public Object any;
    public String text;
    public int number;
    public Integer boxed;
    public long large;
    public double fraction;
    public boolean flag;
    public Boolean truth;
    public Colour colour;
    public Plain plain;
    public Names names;
    public Fields fields;
    public Base base;
    public Derived derived;
    public Page<Plain> page;
    public Page<Integer> numbers;
    public PlainPage plainPage;
    public Overloaded overloaded;
    public Hard hard;
    public Private hidden;
    public Failing failing;
    public Inner inner;
    public Abstract abstracted;
    public Kinds kinds;
    public Empty empty;
    public Nulls nulls;
    public List<String> texts;
    public List<Plain> plains;
    public List<?> anything;
    public List<? extends Plain> bounded;
    public Map<String, Object> map;
    public Map<String, Plain> plainMap;
    public Map<Integer, List<Plain>> deep;
    public String[] array;
    public List rawList;
    public Map rawMap;
    public Set<Integer> set;
    public java.util.Queue<String> queue;
    public java.util.Deque<String> deque;
    public java.util.Collection<String> collection;
    public Iterable<String> iterable;
    public java.util.LinkedList<String> linked;
    public java.util.TreeMap<String, String> tree;
    public java.util.concurrent.ConcurrentMap<String, String> concurrent;
    public BigDecimal decimal;
    public Date date;
    public java.util.Calendar calendar;
    public java.util.Locale locale;
    public java.net.URI uri;
    public StringBuilder builder;
    public java.util.concurrent.atomic.AtomicInteger atomic;
    public Map.Entry<String, Integer> entry;

    public static Type type(String name) throws ReflectiveOperationException {
        return Shapes.class.getField(name).getGenericType();
    }
}
