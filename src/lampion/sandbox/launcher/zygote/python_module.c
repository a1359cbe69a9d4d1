/*
 * The fork server as a module of any CPython from 3.8 on. It is built without Python's headers, from what the stable
 * ABI (PEP 384) promises: so one file serves every interpreter of the machine.
 */
#include "../launcher.h"

#include <sys/types.h>

typedef struct object Object;
typedef Object *(*Function)(Object *module, Object *argument);

typedef struct {
    const char *name;
    Function function;
    int flags;
    const char *documentation;
} MethodDefinition;

typedef struct {
    ssize_t reference_count;
    void *type;
    Object *(*initialize)(void);
    ssize_t index;
    Object *copy;
} ModuleDefinitionBase;

typedef struct {
    ModuleDefinitionBase base;
    const char *name;
    const char *documentation;
    ssize_t size;
    const MethodDefinition *methods;
    void *slots, *traverse, *clear, *free;
} ModuleDefinition;

enum { TAKES_ONE_ARGUMENT = 0x0008, STABLE_ABI = 3, NO_STATE = -1 };

/* Weak, as other interpreters, which haven't any of it, load this file too. */
extern Object *PyModule_Create2(ModuleDefinition *definition, int abi) __attribute__((weak));
extern long PyLong_AsLong(Object *number) __attribute__((weak));
extern Object *PyBool_FromLong(long truth) __attribute__((weak));
extern void PyOS_BeforeFork(void) __attribute__((weak));
extern void PyOS_AfterFork_Parent(void) __attribute__((weak));
extern void PyOS_AfterFork_Child(void) __attribute__((weak));

/* True in each copy; False, in the zygote, when nobody will ask for another one. */
static Object *serve(Object *module, Object *descriptor)
{
    (void)module;
    PyOS_BeforeFork();
    int result = serve_as_zygote((int)PyLong_AsLong(descriptor), false);
    if (result == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    return PyBool_FromLong(result == 0);
}

static const MethodDefinition methods[] = {
    {"serve", serve, TAKES_ONE_ARGUMENT, "serve(descriptor): copy this process whenever a request comes."},
    {0, 0, 0, 0},
};

static ModuleDefinition definition = {
    .base = {.reference_count = 1}, .name = "_lampion_zygote", .size = NO_STATE, .methods = methods};

__attribute__((visibility("default"))) Object *PyInit__lampion_zygote(void)
{
    return PyModule_Create2(&definition, STABLE_ABI);
}
