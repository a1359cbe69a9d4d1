package fn;

import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.*;
import java.io.*;
import java.util.*;

abstract class Greeter<I, O> implements RequestHandler<I, O> {
    abstract O greet(I input);

    public O handleRequest(I input, Context context) {
        return greet(input);
    }
}

class Person {
    enum Mood { GOOD, BAD }

    private String name;
    private int age;
    private Mood mood;
    private List<Person> friends;
    private Map<String, Long> marks;

    public String getName() { return name; }
    public void setName(String name) { this.name = name; }
    public int getAge() { return age; }
    public void setAge(int age) { this.age = age; }
    public Mood getMood() { return mood; }
    public void setMood(Mood mood) { this.mood = mood; }
    public List<Person> getFriends() { return friends; }
    public void setFriends(List<Person> friends) { this.friends = friends; }
    public Map<String, Long> getMarks() { return marks; }
    public void setMarks(Map<String, Long> marks) { this.marks = marks; }
}

/** Getters, setters, enums, nested and generic members. */
public class Inheriting extends Greeter<Person, Person> {
    Person greet(Person person) {
        for (Person friend : person.getFriends()) {
            friend.setAge(friend.getAge() + 1);
        }
        person.getMarks().put("more", 12345678901L);
        return person;
    }
}
