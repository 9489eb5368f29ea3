#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *greet(PyObject *self, PyObject *name) {
    (void)self;
    PyObject *title = PyObject_CallMethod(name, "title", NULL);
    if (title == NULL) return NULL;
    PyObject *text = PyUnicode_FromFormat("Hello, %U!", title);
    return text;
}

static PyMethodDef methods[] = {{"greet", greet, METH_O, "Returns a greeting."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "greeting", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_greeting(void) {
    return PyModule_Create(&module);
}
