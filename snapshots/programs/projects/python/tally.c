/* Counts words, as an extension of Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static char *buffer;

/* An old leak: an object for each call, to which nobody gives back the reference. */
__attribute__((noinline)) static void reserve(Py_ssize_t size) {
    PyObject *volatile row = PyBytes_FromStringAndSize(NULL, size);
    row = NULL;
}

/* A new one, for LEAK=text: a copy that nobody frees. With LEAK=file, a file that nobody closes. */
__attribute__((noinline)) static void leak(const char *what, const char *text) {
    if (strcmp(what, "text") == 0) buffer = strdup(text);
    if (strcmp(what, "file") == 0) open("/dev/null", O_RDONLY);
    buffer = NULL;
}

static PyObject *count(PyObject *self, PyObject *args) {
    const char *text;
    long words = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "s", &text)) return NULL;
    reserve(64);
    if (getenv("LEAK") != NULL) leak(getenv("LEAK"), text);
    for (const char *at = text; *at != '\0'; at++) words += *at != ' ' && (at[1] == ' ' || at[1] == '\0');
    return PyLong_FromLong(words);
}

static PyMethodDef methods[] = {{"count", count, METH_VARARGS, "The number of words in a text."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tally", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_tally(void) {
    return PyModule_Create(&module);
}
