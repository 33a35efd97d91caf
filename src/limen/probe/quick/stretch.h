/* Steps that go their usual way, noted with as little work as that takes: stretch.py says how. Part of quick.c. */

typedef struct {
    PyObject_HEAD
    PyObject *optimiser, *entry, *marks, *surprise, *close, *clock, *is_scaling, *divisors_of, *is_of_a_signal;
    PyObject *losses, *rates, *pending, *divisors;
    State *state;
    PyObject *follower; /* None where the steps are not looked at */
    PyObject *plain;    /* the class of node that the last loss came from, where that scales nothing */
    PyThread_type_lock lock;
    long long number, first, most;
    double cost, last, until, dispatch;
    unsigned long thread;
    pid_t process;
    char looking, ran, in_backward, in_update, passed, disturbed, over, listened, is_noting;
} Stretch;

static PyMemberDef stretch_members[] = {
    {"optimiser", T_OBJECT_EX, offsetof(Stretch, optimiser), READONLY, NULL},
    {"number", T_LONGLONG, offsetof(Stretch, number), READONLY, NULL},
    {"losses", T_OBJECT_EX, offsetof(Stretch, losses), READONLY, NULL},
    {"rates", T_OBJECT_EX, offsetof(Stretch, rates), READONLY, NULL},
    {"pending", T_OBJECT_EX, offsetof(Stretch, pending), READONLY, NULL},
    {"divisors", T_OBJECT_EX, offsetof(Stretch, divisors), READONLY, NULL},
    {"cost", T_DOUBLE, offsetof(Stretch, cost), READONLY, NULL},
    {"last", T_DOUBLE, offsetof(Stretch, last), READONLY, NULL},
    {"looking", T_BOOL, offsetof(Stretch, looking), READONLY, NULL},
    {"ran", T_BOOL, offsetof(Stretch, ran), READONLY, NULL},
    {"in_backward", T_BOOL, offsetof(Stretch, in_backward), READONLY, NULL},
    {"in_update", T_BOOL, offsetof(Stretch, in_update), READONLY, NULL},
    {"passed", T_BOOL, offsetof(Stretch, passed), READONLY, NULL},
    {"disturbed", T_BOOL, offsetof(Stretch, disturbed), 0, NULL},
    {"over", T_BOOL, offsetof(Stretch, over), READONLY, NULL},
    {NULL},
};

/* What is noted, nothing yet. -1 with an error. */
static int begin_notes(Stretch *self, PyObject *optimiser)
{
    if (self->lock == NULL && (self->lock = PyThread_allocate_lock()) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    replace(&self->pending, Py_None);
    if (put(&self->optimiser, PyWeakref_NewRef(optimiser, NULL)) < 0 || put(&self->losses, PyList_New(0)) < 0)
        return -1;
    return put(&self->rates, PyList_New(0)) < 0 ? -1 : put(&self->divisors, PyTuple_New(0));
}

static int stretch_init(Stretch *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"optimiser", "number",   "first", "most",       "surprise",    "looking",        "ran",
                           "longest",   "dispatch", "clock", "is_scaling", "divisors_of", "is_of_a_signal", "state",
                           "follower",  "entry",    "marks", "close",      NULL};
    PyObject *optimiser, *surprise, *clock, *is_scaling, *divisors_of, *is_of_a_signal;
    PyObject *state, *follower, *entry, *marks, *close;
    int looking, ran;
    double longest;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OLLLO$ppddOOOOO!OOO!O:Stretch", keys, &optimiser, &self->number,
                                     &self->first, &self->most, &surprise, &looking, &ran, &longest, &self->dispatch,
                                     &clock, &is_scaling, &divisors_of, &is_of_a_signal, state_type, &state, &follower,
                                     &entry, &PyList_Type, &marks, &close))
        return -1;
    if (follower != Py_None && Py_TYPE(follower) != follower_type) {
        PyErr_SetString(PyExc_TypeError, "Stretch(follower=...): expected a Follower or None");
        return -1;
    }
    if (entry != Py_None && !PyWeakref_Check(entry)) {
        PyErr_SetString(PyExc_TypeError, "Stretch(entry=...): expected a weak reference or None");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_Size(marks); i++)
        if (!PyWeakref_Check(PyList_GetItem(marks, i))) {
            PyErr_SetString(PyExc_TypeError, "Stretch(marks=...): expected weak references");
            return -1;
        }
    if (begin_notes(self, optimiser) < 0)
        return -1;
    replace(&self->surprise, surprise);
    replace(&self->clock, clock);
    replace(&self->is_scaling, is_scaling);
    replace(&self->divisors_of, divisors_of);
    replace(&self->is_of_a_signal, is_of_a_signal);
    replace((PyObject **)&self->state, state);
    replace(&self->follower, follower);
    replace(&self->entry, entry);
    replace(&self->marks, marks);
    replace(&self->close, close);
    self->looking = looking, self->ran = ran;
    self->thread = PyThread_get_thread_ident(), self->process = getpid();
    self->last = real(PyObject_CallNoArgs(clock));
    self->until = self->last + longest;
    return PyErr_Occurred() ? -1 : 0;
}

static int stretch_traverse(Stretch *self, visitproc visit, void *arg)
{
    Py_VISIT(type_of(self));
    Py_VISIT(self->optimiser);
    Py_VISIT(self->entry);
    Py_VISIT(self->marks);
    Py_VISIT(self->surprise);
    Py_VISIT(self->close);
    Py_VISIT(self->clock);
    Py_VISIT(self->is_scaling);
    Py_VISIT(self->divisors_of);
    Py_VISIT(self->is_of_a_signal);
    Py_VISIT(self->losses);
    Py_VISIT(self->rates);
    Py_VISIT(self->pending);
    Py_VISIT(self->divisors);
    Py_VISIT(self->state);
    Py_VISIT(self->follower);
    Py_VISIT(self->plain);
    return 0;
}

static int stretch_clear(Stretch *self)
{
    self->disturbed = self->over = 1;
    Py_CLEAR(self->optimiser);
    Py_CLEAR(self->entry);
    Py_CLEAR(self->marks);
    Py_CLEAR(self->surprise);
    Py_CLEAR(self->close);
    Py_CLEAR(self->clock);
    Py_CLEAR(self->is_scaling);
    Py_CLEAR(self->divisors_of);
    Py_CLEAR(self->is_of_a_signal);
    Py_CLEAR(self->losses);
    Py_CLEAR(self->rates);
    Py_CLEAR(self->pending);
    Py_CLEAR(self->divisors);
    Py_CLEAR(self->state);
    Py_CLEAR(self->follower);
    Py_CLEAR(self->plain);
    return 0;
}

static void stretch_dealloc(Stretch *self)
{
    if (self->lock != NULL)
        PyThread_free_lock(self->lock);
    self->lock = NULL;
    release((PyObject *)self, (inquiry)stretch_clear);
}

/* Waits for whoever notes something, at most so many microseconds; 0 where that was not enough. */
static int hold(Stretch *self, long long patience)
{
    if (self->lock == NULL)
        return 0;
    PyLockStatus found = PyThread_acquire_lock_timed(self->lock, 0, 0);
    if (found != PY_LOCK_ACQUIRED && patience) {
        Py_BEGIN_ALLOW_THREADS
        found = PyThread_acquire_lock_timed(self->lock, patience, 0);
        Py_END_ALLOW_THREADS
    }
    return found == PY_LOCK_ACQUIRED;
}

static PyObject *stretch_end(Stretch *self, PyObject *seconds)
{
    double patience = PyFloat_AsDouble(seconds);
    if (PyErr_Occurred())
        return NULL;
    if (!(patience >= 0 && patience <= 1e9)) {
        PyErr_SetString(PyExc_ValueError, "end(): expected seconds from 0 to 1e9");
        return NULL;
    }
    int is_within = self->is_noting && self->thread == PyThread_get_thread_ident(); /* in what it called itself */
    if (is_within || self->process != getpid() || !hold(self, (long long)(1e6 * patience)))
        Py_RETURN_FALSE;
    int ends = !self->over;
    self->over = 1;
    PyThread_release_lock(self->lock);
    return PyBool_FromLong(ends);
}

/* Begins to note something, unless others are at it. */
static int begins_to_note(Stretch *self)
{
    int is_held = hold(self, 0);
    self->is_noting |= is_held;
    return is_held;
}

/* What a method answers once it lets go: an error that is limen's own means that nothing was noted. */
static PyObject *answer(Stretch *self, int state)
{
    self->is_noting = 0;
    PyThread_release_lock(self->lock);
    if (state >= 0)
        return PyBool_FromLong(state);
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return NULL;
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace != NULL)
        PyException_SetTraceback(error, trace);
    int is_of_a_signal = truth(PyObject_CallFunctionObjArgs(self->is_of_a_signal, error, NULL));
    if (is_of_a_signal > 0) {
        PyErr_Restore(type, error, trace);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return is_of_a_signal < 0 ? NULL : PyBool_FromLong(0);
}

static int is_here(const Stretch *self)
{
    return !self->disturbed && self->thread == PyThread_get_thread_ident();
}

static int is_ours(const Stretch *self, PyObject *optimiser)
{
    return self->optimiser != NULL && PyWeakref_GetObject(self->optimiser) == optimiser;
}

/* Looks away during a backward pass and an update. */
static void look_away(Stretch *self)
{
    if (self->follower == Py_None)
        return;
    Follower *follower = (Follower *)self->follower;
    self->listened = follower->is_listening;
    follower->is_listening = 0;
}

static void look_again(Stretch *self)
{
    if (self->follower == Py_None)
        return;
    Follower *follower = (Follower *)self->follower;
    follower->is_listening = self->listened;
    follower->pass++;
}

/* Whether the gradients that the last full step used are gone. -1 with an error. */
static int is_clear(const Stretch *self)
{
    for (Py_ssize_t i = 0; i < PyList_Size(self->marks); i++) {
        PyObject *tensor = PyWeakref_GetObject(PyList_GetItem(self->marks, i));
        if (tensor == NULL)
            return -1;
        if (tensor == Py_None)
            continue;
        Py_INCREF(tensor); /* to ask may be to run what drops it */
        PyObject *gradient = PyObject_GetAttr(tensor, names.grad);
        Py_DECREF(tensor);
        if (gradient == NULL)
            return -1;
        Py_DECREF(gradient);
        if (gradient != Py_None)
            return 0;
    }
    return 1;
}

/* By what a loss was divided last; mostly its node tells at once that it was not. NULL with an error. */
static PyObject *divisors_in(Stretch *self, PyObject *root)
{
    PyObject *node = PyObject_GetAttr(root, names.grad_fn);
    if (node == NULL)
        return NULL;
    PyObject *kind = type_of(node);
    int scales = 0;
    if (node != Py_None && kind != self->plain) {
        scales = truth(PyObject_CallFunctionObjArgs(self->is_scaling, kind, NULL));
        if (scales == 0)
            replace(&self->plain, kind);
    }
    Py_DECREF(node);
    if (scales < 0)
        return NULL;
    return scales ? PyObject_CallFunctionObjArgs(self->divisors_of, root, NULL) : PyTuple_New(0);
}

/* Whether a watched model has run forward since the last backward pass, or parts of it have. */
static int has_run(const Stretch *self)
{
    return self->ran || (self->follower != Py_None && ((Follower *)self->follower)->has_read);
}

/* Takes down the loss. 0 where that takes more; -1 with an error. */
static int note_loss(Stretch *self, PyObject *root)
{
    if (type_of(root) != torch.tensor)
        return 0;
    int is_good = is_plain_here();
    if (is_good > 0)
        is_good = is_untraced();
    if (is_good > 0 && self->looking)
        is_good = has_run(self) ? is_clear(self) : 0;
    if (is_good <= 0)
        return is_good;
    int is_cpu = truth(PyObject_GetAttr(root, names.is_cpu));
    if (is_cpu <= 0) /* to read it would take a wait */
        return is_cpu < 0 ? -1 : !self->looking;
    if (self->pending != Py_None)
        return 0;
    PyObject *number = number_in(root);
    if (number == NULL)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *divisors = divisors_in(self, root);
    if (divisors != NULL) {
        replace(&self->pending, number);
        replace(&self->divisors, divisors);
    }
    Py_DECREF(number);
    Py_XDECREF(divisors);
    return divisors == NULL ? -1 : 1;
}

static PyObject *stretch_begins_backward(Stretch *self, PyObject *root)
{
    if (!is_here(self) || !begins_to_note(self))
        Py_RETURN_FALSE;
    double began = now();
    int is_noted = self->over || self->in_update || self->in_backward ? 0 : note_loss(self, root);
    if (is_noted > 0) {
        look_away(self);
        self->in_backward = self->passed = 1;
        self->ran = 0;
        if (self->follower != Py_None)
            ((Follower *)self->follower)->has_read = 0;
        self->cost += now() - began;
    }
    return answer(self, is_noted);
}

static PyObject *stretch_ends_backward(Stretch *self, PyObject *nothing)
{
    if (self->thread != PyThread_get_thread_ident())
        Py_RETURN_TRUE;
    while (!hold(self, 1000000))
        ;
    int is_known = !self->in_backward || !self->over;
    if (self->in_backward && !self->over)
        look_again(self);
    self->in_backward &= self->over; /* whoever ended it is to know */
    return answer(self, is_known);
}

static PyObject *stretch_begins_update(Stretch *self, PyObject *optimiser)
{
    if (!is_here(self) || !is_ours(self, optimiser) || !begins_to_note(self))
        Py_RETURN_FALSE;
    int is_noted = !self->over && !self->in_backward && !self->in_update && PyList_Size(self->losses) < self->most;
    if (is_noted) {
        look_away(self);
        self->in_update = 1;
    }
    return answer(self, is_noted);
}

/* Closes a step that was looked at. 0, and nothing done, where that takes more; -1 with an error. */
static int close_step(Stretch *self, PyObject *optimiser)
{
    PyObject *rate = rate_of(optimiser);
    if (rate == NULL)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *step = PyLong_FromLongLong(self->first + PyList_Size(self->losses));
    int is_closed = step == NULL ? -1 : truth(PyObject_CallFunctionObjArgs(self->close, step, NULL));
    if (is_closed > 0 && PyList_Append(self->rates, rate) < 0)
        is_closed = -1;
    Py_XDECREF(step);
    Py_DECREF(rate);
    return is_closed;
}

/* Counts a step that has ended at this time. 0, and nothing done, where that takes more; -1 with an error. */
static int note_step(Stretch *self, PyObject *optimiser, double time)
{
    int is_good = !self->over && self->in_update && time <= self->until, has_loss = self->pending != Py_None;
    if (is_good && has_loss)
        is_good = truth(PyObject_CallMethodObjArgs(self->surprise, names.expects, self->pending, NULL));
    if (is_good > 0 && self->looking)
        is_good = close_step(self, optimiser);
    if (is_good <= 0)
        return is_good;
    look_again(self);
    if (has_loss) {
        PyObject *entered = PyObject_CallMethodObjArgs(self->surprise, names.enter, self->pending, NULL);
        Py_XDECREF(entered);
        if (entered == NULL)
            return -1;
    }
    if (PyList_Append(self->losses, self->pending) < 0 || put(&self->divisors, PyTuple_New(0)) < 0)
        return -1;
    replace(&self->pending, Py_None);
    self->in_update = 0;
    self->last = time;
    return 1;
}

static PyObject *stretch_ends_update(Stretch *self, PyObject *optimiser)
{
    if (self->thread != PyThread_get_thread_ident() || !is_ours(self, optimiser) || !begins_to_note(self))
        Py_RETURN_FALSE;
    double began = now(), time = real(PyObject_CallNoArgs(self->clock));
    int is_noted = PyErr_Occurred() ? -1 : note_step(self, optimiser, time);
    if (is_noted > 0)
        self->cost += now() - began + self->dispatch;
    return answer(self, is_noted);
}

static PyTypeObject *stretch_type;

/* Whether a module that is to be counted is called as it usually is in training. -1 with an error. */
static int is_training_here(PyObject *module)
{
    int is_good = truth(PyObject_GetAttr(module, names.training));
    if (is_good > 0)
        is_good = truth(PyObject_CallNoArgs(torch.is_grad_enabled));
    if (is_good > 0)
        is_good = is_plain_here();
    return is_good > 0 ? is_untraced() : is_good;
}

/* Counts the batch that the outermost module is given; there is none to count within a backward pass or an update.
 * 0 where that takes more; -1 with an error. */
static int counts_batch(PyObject *stretch, PyObject *module, PyObject *given, int is_listening)
{
    struct tensor tensor;
    Stretch *self = (Stretch *)stretch;
    if (stretch == NULL || Py_TYPE(stretch) != stretch_type || self->over || !self->looking)
        return 0;
    if (self->in_backward || self->in_update)
        return 1;
    if (!is_listening || self->entry == Py_None || PyWeakref_GetObject(self->entry) != module)
        return 0;
    if (!PyTuple_Check(given) || !PyTuple_Size(given))
        return 0;
    Py_INCREF(stretch); /* to ask the module may be to run what ends it */
    int is_good = is_training_here(module);
    if (is_good > 0)
        is_good = describe(PyTuple_GetItem(given, 0), &tensor);
    if (is_good > 0)
        is_good = tensor.axes > 0 && !self->over;
    if (is_good > 0) {
        self->state->batch += tensor.shape[0];
        self->ran = 1;
    }
    Py_DECREF(stretch);
    return is_good;
}

static PyObject *stretch_begins_forward(Stretch *self, PyObject *nothing)
{
    int is_seen = !self->over && self->looking;
    self->ran |= is_seen;
    return PyBool_FromLong(is_seen);
}

static PyMethodDef stretch_methods[] = {
    {"begins_forward", (PyCFunction)stretch_begins_forward, METH_NOARGS, NULL},
    {"begins_backward", (PyCFunction)stretch_begins_backward, METH_O, NULL},
    {"ends_backward", (PyCFunction)stretch_ends_backward, METH_NOARGS, NULL},
    {"begins_update", (PyCFunction)stretch_begins_update, METH_O, NULL},
    {"ends_update", (PyCFunction)stretch_ends_update, METH_O, NULL},
    {"end", (PyCFunction)stretch_end, METH_O, NULL},
    {NULL},
};

static PyType_Slot stretch_slots[] = {
    {Py_tp_doc, "Some steps of a training that goes its usual way."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, stretch_init},
    {Py_tp_traverse, stretch_traverse},
    {Py_tp_clear, stretch_clear},
    {Py_tp_dealloc, stretch_dealloc},
    {Py_tp_members, stretch_members},
    {Py_tp_methods, stretch_methods},
    {0, NULL},
};

static PyType_Spec stretch_spec = {
    "limen.probe.quick._quick.Stretch", sizeof(Stretch), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, stretch_slots,
};
