/* The usual look at a site: the one that nearly all the time goes into. Part of quick.c. */

typedef int (*add_function)(void *account, const void *layout, const void *data, int threads, void *memory);
typedef int (*add_gradient_function)(void *account, int64_t entries, int64_t kind, const void *data, int threads);

typedef struct {
    PyObject_HEAD
    State *state;
    PyObject *place, *output, *ear, *keeps, *on_gradient, *on_error;
    struct form form;
    add_function add;
    add_gradient_function add_gradient; /* NULL where gradients have to be copied to be read */
    void *account;
    const void *layout;
    int64_t room, entries, kind;
    char is_shared, is_first;
} Glance;

static int glance_init(Glance *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"state", "place", "z", "add", "add_gradient", "account", "layout", "room", "entries",
                           "kind", "is_shared", "is_first", "keeps", "on_gradient", "on_error", NULL};
    PyObject *state, *z;
    Py_ssize_t add, add_gradient, account, layout;
    long long room, entries, kind;
    int is_shared, is_first;
    struct tensor tensor;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&O$nnnnLLLppO&O&O&:Glance", keys, state_type, &state, keep,
                                     &self->place, &z, &add, &add_gradient, &account, &layout, &room, &entries, &kind,
                                     &is_shared, &is_first, keep, &self->keeps, keep, &self->on_gradient, keep,
                                     &self->on_error))
        return -1;
    replace((PyObject **)&self->state, state);
    replace(&self->ear, Py_None);
    int is_here = describe(z, &tensor);
    if (is_here < 0)
        return -1;
    if (!is_here || !take_form(&tensor, &self->form)) {
        PyErr_SetString(PyExc_ValueError, "Glance(): expected a plain tensor in memory, of at most 8 axes");
        return -1;
    }
    if (put(&self->output, PyObject_GetAttr(z, names.output_nr)) < 0)
        return -1;
    self->add = (add_function)add;
    self->add_gradient = (add_gradient_function)add_gradient;
    self->account = (void *)account;
    self->layout = (const void *)layout;
    self->room = room, self->entries = entries, self->kind = kind;
    self->is_shared = is_shared, self->is_first = is_first;
    return 0;
}

static held_places glance_held = {
    offsetof(Glance, state), offsetof(Glance, place), offsetof(Glance, output), offsetof(Glance, keeps),
    offsetof(Glance, ear), offsetof(Glance, on_gradient), offsetof(Glance, on_error), 0,
};

static int glance_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, glance_held, visit, arg);
}

static int glance_clear(PyObject *self)
{
    return clear_held(self, glance_held);
}

static void glance_dealloc(Glance *self)
{
    release((PyObject *)self, glance_clear);
}

/* Gives an error of limen's own away, after which the site is watched no longer; one that is none of an ordinary kind
 * (an interrupt) goes on. Returns 1; -1 with an error. */
static int stumble(Glance *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyObject *error = take_error();
    PyObject *result = PyObject_CallFunctionObjArgs(self->on_error, self->place, error, NULL);
    Py_DECREF(error);
    Py_XDECREF(result);
    return result == NULL ? -1 : 1;
}

/* Whether the module applies the function here. -1 with an error. */
static int is_owned_by(const Glance *self, PyObject *owner)
{
    PyObject *held = PyObject_GetAttr(self->place, names.owner), *module = held;
    if (held == NULL)
        return -1;
    if (held != Py_None)
        module = PyWeakref_GetObject(held);
    int is_same = module == owner && (held == Py_None) == (owner == Py_None);
    Py_DECREF(held);
    if (module == NULL)
        PyErr_Clear();
    return is_same;
}

/* Whether nothing has gone wrong here before. -1 with an error. */
static int is_sound(const Glance *self)
{
    int has_trouble = truth(PyObject_GetAttr(self->place, names.trouble));
    return has_trouble < 0 ? -1 : !has_trouble;
}

/* Reads a pre-activation into the account. 0, and nothing done, where that takes more. -1 with an error. */
static int read_value(Glance *self, PyObject *z)
{
    struct tensor tensor;
    int is_usual_now = is_usual(self->state), threads;
    if (is_usual_now <= 0)
        return is_usual_now;
    int is_here = describe(z, &tensor);
    if (is_here <= 0)
        return is_here;
    if (!has_form(&tensor, &self->form))
        return 0;
    if ((threads = team(self->is_shared)) < 0)
        return -1;
    double *memory = borrow(self->state, self->room);
    if (memory == NULL)
        return 0;
    int refused;
    Py_BEGIN_ALLOW_THREADS
    refused = self->add(self->account, self->layout, tensor.data, threads, memory);
    Py_END_ALLOW_THREADS
    self->state->is_lent = 0;
    if (!refused && self->is_first)
        self->state->samples += self->form.shape[0];
    return !refused;
}

/* Asks the graph for the gradient of what was read. -1 with an error. */
static int await_gradient(Glance *self, PyObject *node)
{
    if (self->ear == Py_None)
        return 1;
    PyObject *nothing = PyObject_CallMethodObjArgs(node, names.register_hook_dict, self->ear, NULL);
    Py_XDECREF(nothing);
    return nothing == NULL ? -1 : 1;
}

/* Whether a tensor is that result of its node which is looked at. -1 with an error. */
static int is_output(const Glance *self, PyObject *z)
{
    PyObject *output = PyObject_GetAttr(z, names.output_nr);
    int is_same = output == NULL ? -1 : PyObject_RichCompareBool(output, self->output, Py_EQ);
    Py_XDECREF(output);
    return is_same;
}

static int look_usual(Glance *self, PyObject *z)
{
    int is_good = is_plain_here();
    if (is_good <= 0)
        return is_good;
    PyObject *node = PyObject_GetAttr(z, names.grad_fn);
    if (node == NULL)
        return -1;
    is_good = node == Py_None ? 0 : is_output(self, z);
    if (is_good > 0)
        is_good = read_value(self, z);
    if (is_good > 0)
        is_good = await_gradient(self, node);
    Py_DECREF(node);
    return is_good;
}

/* Reads a pre-activation and waits for its gradient. 0, and nothing done, where that takes more. -1 with an error. */
static int glance_at(Glance *self, PyObject *owner, PyObject *z)
{
    State *state = self->state;
    if (!is_free(state) || (PyObject *)Py_TYPE(z) != torch.tensor)
        return 0;
    double began = begin(state);
    int is_enough = is_sound(self);
    if (is_enough > 0)
        is_enough = is_owned_by(self, owner);
    if (is_enough > 0)
        is_enough = look_usual(self, z);
    end(state, began);
    return is_enough < 0 ? stumble(self) : is_enough;
}

static PyObject *glance_look(Glance *self, PyObject *args)
{
    PyObject *owner, *z;
    if (!PyArg_ParseTuple(args, "OO:look", &owner, &z))
        return NULL;
    int is_enough = glance_at(self, owner, z);
    return is_enough < 0 ? NULL : PyBool_FromLong(is_enough);
}

static int hear_usual(Glance *self, PyObject *gradient)
{
    struct tensor tensor;
    int threads, is_good = self->add_gradient != NULL && !self->state->is_scaled;
    if (is_good > 0)
        is_good = is_usual(self->state);
    if (is_good > 0)
        is_good = is_plain_here();
    if (is_good > 0)
        is_good = describe(gradient, &tensor);
    if (is_good <= 0 || !has_form(&tensor, &self->form))
        return is_good < 0 ? -1 : 0;
    if ((threads = team(self->is_shared)) < 0)
        return -1;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = self->add_gradient(self->account, self->entries, self->kind, tensor.data, threads);
    Py_END_ALLOW_THREADS
    return !failed;
}

/* Enters a gradient. 0, and nothing done, where that takes more. -1 with an error. */
static int glance_enter(Glance *self, PyObject *gradient)
{
    if (!is_free(self->state))
        return 0;
    double began = begin(self->state);
    int is_enough = is_sound(self);
    if (is_enough > 0)
        is_enough = hear_usual(self, gradient);
    end(self->state, began);
    return is_enough < 0 ? stumble(self) : is_enough;
}

static PyObject *glance_hear(Glance *self, PyObject *gradient)
{
    int is_enough = glance_enter(self, gradient);
    if (is_enough == 0) {
        PyObject *result = PyObject_CallFunctionObjArgs(self->on_gradient, self->place, gradient, NULL);
        is_enough = result == NULL ? -1 : 1;
        Py_XDECREF(result);
    }
    if (is_enough < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMemberDef glance_members[] = {
    {"ear", T_OBJECT_EX, offsetof(Glance, ear), 0, NULL},
    {NULL},
};

static PyMethodDef glance_methods[] = {
    {"look", (PyCFunction)glance_look, METH_VARARGS, NULL},
    {"hear", (PyCFunction)glance_hear, METH_O, NULL},
    {NULL},
};

static PyType_Slot glance_slots[] = {
    {Py_tp_doc, "Reads pre-activations of one form, and their gradients, at a place that is known and settled."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, glance_init},
    {Py_tp_traverse, glance_traverse},
    {Py_tp_clear, glance_clear},
    {Py_tp_dealloc, glance_dealloc},
    {Py_tp_members, glance_members},
    {Py_tp_methods, glance_methods},
    {0, NULL},
};

static PyType_Spec glance_spec = {
    "limen.probe.quick._quick.Glance", sizeof(Glance), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, glance_slots,
};

static PyTypeObject *glance_type;
