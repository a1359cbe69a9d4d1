/* A program that attackers bring along: a custom runtime's probes, and system calls for languages without ctypes. */
#ifndef LAMPION_ESCAPE_NATIVE_H
#define LAMPION_ESCAPE_NATIVE_H

#include <stdbool.h>

/* targets.c: values of the flat JSON object that a probe is given. */
long number_in(const char *targets, const char *key);
const char *text_in(const char *targets, const char *key, char *buffer, int size);
bool list_holds(const char *targets, const char *key, long wanted);
bool is_null(const char *targets, const char *key);

/* answer.c */
typedef long (*action)(const void *argument);
void tell(const char *name, bool is_open, const char *format, ...) __attribute__((format(printf, 3, 4)));
void attempt(const char *name, action action, const void *argument);
void print_answer(const char *run);

/* calls.c */
int run_calls(int count, char **steps);

/* abi.c */
long call_i386(int number, int one, int two, int three);
int sweep(bool is_bare, int *let_through, int most);
void probe_abis(const char *targets);
void probe_sweep(const char *targets);

/* probes.c */
bool run_probe(const char *run, const char *targets);

#endif
