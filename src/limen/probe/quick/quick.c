/* The usual way of a step, in C: what costs little more than the readings themselves. Everything that is out of the
 * ordinary is left to the probe, in Python. Speaks to Python through its stable interface, to torch through Python and
 * DLPack, and to the kernels by address: it includes no header of torch and links to nothing. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERSION 6

#include "python.h"
#include "torch.h"
#include "state.h"
#include "glance.h"
#include "role.h"
#include "follower.h"
#include "stretch.h"
#include "noting.h"
#include "turns.h"
#include "surprise.h"
#include "closing.h"

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "limen.probe.quick._quick", "The usual way of a step, in C.", -1, NULL,
};

/* Makes a type and gives it to the module. */
static PyTypeObject *make(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(spec);
    if (type != NULL && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

PyMODINIT_FUNC PyInit__quick(void)
{
    PyObject *module = find_names() < 0 || find_torch() < 0 ? NULL : PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    state_type = make(module, &state_spec);
    glance_type = make(module, &glance_spec);
    role_type = make(module, &role_spec);
    follower_type = make(module, &follower_spec);
    stretch_type = make(module, &stretch_spec);
    int is_made = state_type && glance_type && role_type && follower_type && stretch_type;
    is_made = is_made && make(module, &surprise_spec) && make(module, &closing_spec);
    if (!is_made || PyModule_AddIntConstant(module, "VERSION", VERSION) < 0 || pthread_atfork(NULL, NULL, note_fork))
        Py_CLEAR(module);
    return module;
}
