/* What a module did at the last step that was seen in full and in which it was called. Part of quick.c. */

typedef struct {
    PyObject_HEAD
    PyObject *module, *kind, *activation, *glances;
    char is_root, is_training;
    long long pass, calls; /* in which it was called last, and how often */
} Role;

static PyMemberDef role_members[] = {
    {"module", T_OBJECT_EX, offsetof(Role, module), READONLY, NULL},
    {"activation", T_OBJECT_EX, offsetof(Role, activation), 0, NULL},
    {"glances", T_OBJECT_EX, offsetof(Role, glances), READONLY, NULL},
    {"is_root", T_BOOL, offsetof(Role, is_root), READONLY, NULL},
    {"training", T_BOOL, offsetof(Role, is_training), READONLY, NULL},
    {NULL},
};

static int role_init(Role *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"module", "is_root", NULL};
    PyObject *module;
    int is_root;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O$p:Role", keys, &module, &is_root))
        return -1;
    int is_training = truth(PyObject_GetAttr(module, names.training));
    if (is_training < 0 || put(&self->module, PyWeakref_NewRef(module, NULL)) < 0 ||
        put(&self->glances, PyList_New(0)) < 0)
        return -1;
    replace(&self->kind, type_of(module));
    replace(&self->activation, Py_None);
    self->is_root = is_root, self->is_training = is_training;
    return 0;
}

static held_places role_held = {
    offsetof(Role, module), offsetof(Role, kind), offsetof(Role, activation), offsetof(Role, glances), 0,
};

static int role_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, role_held, visit, arg);
}

static int role_clear(PyObject *self)
{
    return clear_held(self, role_held);
}

static void role_dealloc(Role *self)
{
    release((PyObject *)self, role_clear);
}

static PyType_Slot role_slots[] = {
    {Py_tp_doc, "What a module did at the last step that was seen in full and in which it was called."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, role_init},
    {Py_tp_traverse, role_traverse},
    {Py_tp_clear, role_clear},
    {Py_tp_dealloc, role_dealloc},
    {Py_tp_members, role_members},
    {0, NULL},
};

static PyType_Spec role_spec = {
    "limen.probe.quick._quick.Role", sizeof(Role), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, role_slots,
};

static PyTypeObject *role_type;

/* Whether a module is given what it is called with: no hooks of the script, and no other `forward`, stand in between. -1
 * with an error. */
static int is_bare(PyObject *module)
{
    PyObject *own = PyObject_GenericGetDict(module, NULL), *hooks[] = {
        names.forward_pre_hooks, names.backward_hooks, names.backward_pre_hooks
    };
    int replaced = own == NULL ? -1 : PyDict_Contains(own, names.forward);
    int found = 0;
    for (size_t i = 0; replaced == 0 && found == 0 && i < sizeof hooks / sizeof *hooks; i++) {
        PyObject *held = PyDict_GetItemWithError(own, hooks[i]);
        if (held != NULL)
            found = PyObject_IsTrue(held);
        else if (PyErr_Occurred())
            found = -1;
    }
    Py_XDECREF(own);
    return replaced < 0 || found < 0 ? -1 : !replaced && !found;
}
