/* The end of a step that was looked at by habit, where there is nothing more to it than the accounts of the sites: what
 * `Sight.goes_on` does, which is asked wherever there is more. Part of quick.c. */

typedef int (*close_function)(void *ledger, int64_t step);

typedef struct {
    PyObject_HEAD
    PyObject *follower, *lock, *take, *otherwise;
    State *state;
    close_function close;
    void *ledger;
    long long usual, left, steps, samples;
} Closing;

static int closing_init(Closing *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"follower", "state", "usual", "left", "close", "ledger", "lock", "take", "otherwise", NULL};
    PyObject *follower, *state;
    Py_ssize_t close, ledger;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!$LLnnO&O&O&:Closing", keys, follower_type, &follower, state_type,
                                     &state, &self->usual, &self->left, &close, &ledger, keep, &self->lock, keep,
                                     &self->take, keep, &self->otherwise))
        return -1;
    replace(&self->follower, follower);
    replace((PyObject **)&self->state, state);
    self->close = (close_function)close, self->ledger = (void *)ledger;
    return 0;
}

static held_places closing_held = {
    offsetof(Closing, follower), offsetof(Closing, state), offsetof(Closing, lock), offsetof(Closing, take),
    offsetof(Closing, otherwise), 0,
};

static int closing_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, closing_held, visit, arg);
}

static int closing_clear(PyObject *self)
{
    return clear_held(self, closing_held);
}

static void closing_dealloc(PyObject *self)
{
    release(self, closing_clear);
}

/* Closes a step of all sites under a lock that is held. 0, and nothing done, where rows are to be taken before; -1 with
 * an error. */
static int close_sites(Closing *self, int64_t step)
{
    int is_full;
    Py_BEGIN_ALLOW_THREADS
    is_full = self->close(self->ledger, step);
    Py_END_ALLOW_THREADS
    if (is_full <= 0)
        return is_full == 0;
    PyObject *nothing = PyObject_CallNoArgs(self->take);
    Py_XDECREF(nothing);
    return nothing == NULL ? -1 : 1;
}

/* The same, unless others are at it. */
static int close_under_lock(Closing *self, int64_t step)
{
    int is_closed = truth(PyObject_CallMethod(self->lock, "acquire", "i", 0));
    if (is_closed <= 0)
        return is_closed;
    is_closed = close_sites(self, step);
    PyObject *error = is_closed < 0 ? take_error() : NULL, *nothing = PyObject_CallMethod(self->lock, "release", NULL);
    Py_XDECREF(nothing);
    if (error != NULL)
        raise_again(error);
    return nothing == NULL ? -1 : is_closed;
}

/* Closes a step. 0, and nothing done, where that takes more; -1 with an error. */
static int close_usual(Closing *self, int64_t step)
{
    State *state = self->state;
    int is_closed = state->batch ? close_under_lock(self, step) : 0;
    if (is_closed > 0) {
        ((Follower *)self->follower)->seen = 0;
        self->steps++;
        self->samples += state->batch;
        state->batch = state->samples = 0;
    }
    return is_closed;
}

static PyObject *closing_call(Closing *self, PyObject *args, PyObject *kwargs)
{
    long long step;
    Follower *follower = (Follower *)self->follower;
    if (!PyArg_ParseTuple(args, "L:Closing", &step))
        return NULL;
    if (follower == NULL || follower->is_broken || follower->seen != self->usual || self->left <= 0)
        Py_RETURN_FALSE;
    int is_closed = close_usual(self, step);
    if (is_closed == 0)
        is_closed = truth(PyObject_CallFunction(self->otherwise, "L", step));
    self->left -= is_closed > 0;
    return is_closed < 0 ? NULL : PyBool_FromLong(is_closed);
}

/* Gives what was closed so far, and begins to count anew. */
static PyObject *closing_count(Closing *self, PyObject *nothing)
{
    PyObject *found = Py_BuildValue("LL", self->steps, self->samples);
    if (found != NULL)
        self->steps = self->samples = 0;
    return found;
}

static PyMethodDef closing_methods[] = {
    {"count", (PyCFunction)closing_count, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot closing_slots[] = {
    {Py_tp_doc, "Closes steps that were looked at by habit."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, closing_init},
    {Py_tp_traverse, closing_traverse},
    {Py_tp_clear, closing_clear},
    {Py_tp_dealloc, closing_dealloc},
    {Py_tp_call, closing_call},
    {Py_tp_methods, closing_methods},
    {0, NULL},
};

static PyType_Spec closing_spec = {
    "limen.probe.quick._quick.Closing", sizeof(Closing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, closing_slots,
};
