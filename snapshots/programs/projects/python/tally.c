/* Counts words, as an extension of Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

/* An old leak: a buffer for each call, which is never freed. */
static char *buffer;

__attribute__((noinline)) static void reserve(size_t size) {
    buffer = malloc(size);
    memset(buffer, 0, size);
    buffer = NULL;
}

/* A new one, for LEAK=1: a copy of the text that nobody frees. */
__attribute__((noinline)) static void copy(const char *text) {
    buffer = strdup(text);
    buffer = NULL;
}

static PyObject *count(PyObject *self, PyObject *args) {
    const char *text;
    long words = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "s", &text)) return NULL;
    reserve(64);
    if (getenv("LEAK") != NULL) copy(text);
    for (const char *at = text; *at != '\0'; at++) words += *at != ' ' && (at[1] == ' ' || at[1] == '\0');
    return PyLong_FromLong(words);
}

static PyMethodDef methods[] = {{"count", count, METH_VARARGS, "The number of words in a text."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tally", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_tally(void) {
    return PyModule_Create(&module);
}
