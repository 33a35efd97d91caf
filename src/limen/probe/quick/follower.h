/* One hook before every module, while all of them do what they did at the last step that was seen in full. Part of
 * quick.c. */

typedef struct {
    PyObject_HEAD
    PyObject *roles, *on_root, *on_unusual;
    PyObject *root, *stretch; /* the outermost module, held weakly; None where there is none */
    char is_open, is_listening, is_broken, has_read;
    unsigned long thread;
    long long seen, calls, pass;
    double cost;
} Follower;

static PyMemberDef follower_members[] = {
    {"is_open", T_BOOL, offsetof(Follower, is_open), 0, NULL},
    {"is_listening", T_BOOL, offsetof(Follower, is_listening), 0, NULL},
    {"is_broken", T_BOOL, offsetof(Follower, is_broken), 0, NULL},
    {"has_read", T_BOOL, offsetof(Follower, has_read), 0, NULL},
    {"thread", T_ULONG, offsetof(Follower, thread), 0, NULL},
    {"seen", T_LONGLONG, offsetof(Follower, seen), 0, NULL},
    {"calls", T_LONGLONG, offsetof(Follower, calls), 0, NULL},
    {"passes", T_LONGLONG, offsetof(Follower, pass), 0, NULL},
    {"cost", T_DOUBLE, offsetof(Follower, cost), 0, NULL},
    {"root", T_OBJECT_EX, offsetof(Follower, root), 0, NULL},
    {"stretch", T_OBJECT_EX, offsetof(Follower, stretch), 0, NULL},
    {NULL},
};

static int follower_init(Follower *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"roles", "on_root", "on_unusual", NULL};
    PyObject *roles;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&O&:Follower", keys, &PyDict_Type, &roles, keep, &self->on_root,
                                     keep, &self->on_unusual))
        return -1;
    replace(&self->roles, roles);
    replace(&self->root, Py_None);
    replace(&self->stretch, Py_None);
    return 0;
}

static held_places follower_held = {
    offsetof(Follower, roles), offsetof(Follower, on_root), offsetof(Follower, on_unusual), offsetof(Follower, root),
    offsetof(Follower, stretch), 0,
};

static int follower_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, follower_held, visit, arg);
}

static int follower_clear(PyObject *self)
{
    return clear_held(self, follower_held);
}

static void follower_dealloc(Follower *self)
{
    release((PyObject *)self, follower_clear);
}

/* The role of a module, a new reference: what is asked of the module may forget it. NULL for one that has none, has
 * left it or cannot tell, or with an interrupt. */
static Role *role_of(Follower *self, PyObject *module)
{
    PyObject *key = PyLong_FromVoidPtr(module), *found;
    if (key == NULL)
        return NULL;
    found = PyDict_GetItemWithError(self->roles, key);
    Py_DECREF(key);
    if (found == NULL || Py_TYPE(found) != role_type)
        return NULL;
    Role *role = (Role *)found;
    if (PyWeakref_GetObject(role->module) != module || role->kind != type_of(module))
        return NULL;
    Py_INCREF(found);
    int is_training = role->is_root ? role->is_training : truth(PyObject_GetAttr(module, names.training));
    if (is_training < 0 && PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_Clear();
    if (is_training == role->is_training)
        return role;
    Py_DECREF(found);
    return NULL;
}

/* Reads what a module is about to be applied to. 0 where that takes more than a glance; -1 with an error. */
static int follow(Follower *self, Role *role, PyObject *module, PyObject *z)
{
    if (role->pass != self->pass)
        role->pass = self->pass, role->calls = 0;
    long long call = role->calls++;
    if (call >= PyList_Size(role->glances))
        return 0;
    PyObject *glance = PyList_GetItem(role->glances, call);
    if (Py_TYPE(glance) != glance_type)
        return 0;
    Py_INCREF(glance); /* what it calls may forget it */
    int is_enough = glance_at((Glance *)glance, module, z);
    Py_DECREF(glance);
    return is_enough;
}

static int counts_batch(PyObject *stretch, PyObject *module, PyObject *given, int is_listening); /* in noting.h */

/* Tells of an outermost module that is about to be called, unless a stretch counts it. 0; -1 with an error. */
static int enter_root(Follower *self, Role *role, PyObject *module, PyObject *given)
{
    self->pass++;
    replace(&self->root, role->module);
    double began = now();
    int is_counted = counts_batch(self->stretch, module, given, self->is_listening);
    self->cost += now() - began;
    if (is_counted != 0)
        return is_counted < 0 ? -1 : 0;
    PyObject *result = PyObject_CallFunctionObjArgs(self->on_root, module, given, NULL);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Whether it is to be read what a module is given; one that is not bare leaves its role. -1 with an error. */
static int is_wanted(Follower *self, const Role *role, PyObject *module, PyObject *given)
{
    if (role->activation == Py_None || !self->is_listening || !PyTuple_Check(given) || !PyTuple_Size(given))
        return 0;
    int is_good = truth(PyObject_CallNoArgs(torch.is_grad_enabled));
    if (is_good > 0 && (is_good = is_bare(module)) == 0)
        self->is_broken = 1;
    return is_good;
}

/* Whether it is known of a tensor that there will be no gradient of it. -1 with an error. */
static int is_frozen(PyObject *z)
{
    int is_plain = type_of(z) == torch.tensor ? is_plain_here() : 0;
    if (is_plain <= 0)
        return is_plain;
    int needs_gradient = truth(PyObject_GetAttr(z, names.requires_grad));
    return needs_gradient < 0 ? -1 : !needs_gradient;
}

/* Tells of what a glance is not enough for; a call that does not count is forgotten. 0; -1 with an error. */
static int tell(Follower *self, Role *role, PyObject *module, PyObject *z)
{
    int frozen = is_frozen(z);
    if (frozen != 0) {
        role->calls--;
        return frozen < 0 ? -1 : 0;
    }
    PyObject *call = PyLong_FromLongLong(role->calls);
    if (call == NULL)
        return -1;
    PyObject *result = PyObject_CallFunctionObjArgs(self->on_unusual, role->activation, z, module, call, NULL);
    Py_DECREF(call);
    role->calls -= result == Py_False;
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int enter(Follower *self, PyObject *module, PyObject *given)
{
    double began = now();
    Role *role = role_of(self, module);
    self->calls++;
    self->cost += now() - began;
    if (role == NULL) {
        self->is_broken = 1;
        return PyErr_Occurred() ? -1 : 0;
    }
    int state = role->is_root ? enter_root(self, role, module, given) : 0;
    if (state == 0)
        state = is_wanted(self, role, module, given);
    if (state > 0) {
        PyObject *z = PyTuple_GetItem(given, 0);
        state = follow(self, role, module, z);
        if (state > 0)
            self->seen++, self->has_read = 1;
        else if (state == 0)
            state = tell(self, role, module, z);
    }
    Py_DECREF((PyObject *)role);
    return state;
}

static PyObject *follower_enter(Follower *self, PyObject *args)
{
    PyObject *module, *given;
    if (!PyArg_ParseTuple(args, "OO:enter", &module, &given))
        return NULL;
    if (self->is_open && self->thread == PyThread_get_thread_ident() && enter(self, module, given) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef follower_methods[] = {
    {"enter", (PyCFunction)follower_enter, METH_VARARGS, NULL},
    {NULL},
};

static PyType_Slot follower_slots[] = {
    {Py_tp_doc, "Hears of each module before it is called, and has a glance at what it is given."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, follower_init},
    {Py_tp_traverse, follower_traverse},
    {Py_tp_clear, follower_clear},
    {Py_tp_dealloc, follower_dealloc},
    {Py_tp_members, follower_members},
    {Py_tp_methods, follower_methods},
    {0, NULL},
};

static PyType_Spec follower_spec = {
    "limen.probe.quick._quick.Follower", sizeof(Follower), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, follower_slots,
};

static PyTypeObject *follower_type;
