/* Some steps that go their usual way: what is kept of them, and who is at it. stretch.py says how. Part of quick.c. */

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
    long forks; /* that led to the process it is of */
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

/* As `keep`, for a weak reference or None. */
static int keep_weak(PyObject *object, void *place)
{
    if (object == Py_None || PyWeakref_Check(object))
        return keep(object, place);
    PyErr_SetString(PyExc_TypeError, "Stretch(entry=...): expected a weak reference or None");
    return 0;
}

/* As `keep`, for a list of weak references. */
static int keep_all_weak(PyObject *object, void *place)
{
    int is_good = PyList_Check(object);
    for (Py_ssize_t i = 0; is_good && i < PyList_Size(object); i++)
        is_good = PyWeakref_Check(PyList_GetItem(object, i));
    if (is_good)
        return keep(object, place);
    PyErr_SetString(PyExc_TypeError, "Stretch(marks=...): expected a list of weak references");
    return 0;
}

/* As `keep`, for a follower or None. */
static int keep_follower(PyObject *object, void *place)
{
    if (object == Py_None || Py_TYPE(object) == follower_type)
        return keep(object, place);
    PyErr_SetString(PyExc_TypeError, "Stretch(follower=...): expected a Follower or None");
    return 0;
}

/* Makes room for what is noted, nothing yet. -1 with an error. */
static int begin_notes(Stretch *self)
{
    if (self->lock == NULL && (self->lock = PyThread_allocate_lock()) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    replace(&self->pending, Py_None);
    if (put(&self->losses, PyList_New(0)) < 0 || put(&self->rates, PyList_New(0)) < 0)
        return -1;
    return put(&self->divisors, PyTuple_New(0));
}

static int stretch_init(Stretch *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"optimiser", "number",   "first", "most",       "surprise",    "looking",        "ran",
                           "longest",   "dispatch", "clock", "is_scaling", "divisors_of", "is_of_a_signal", "state",
                           "follower",  "entry",    "marks", "close",      NULL};
    PyObject *optimiser, *state;
    int looking, ran;
    double longest;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "OLLLO&$ppddO&O&O&O&O!O&O&O&O&:Stretch", keys, &optimiser, &self->number, &self->first,
            &self->most, keep, &self->surprise, &looking, &ran, &longest, &self->dispatch, keep, &self->clock, keep,
            &self->is_scaling, keep, &self->divisors_of, keep, &self->is_of_a_signal, state_type, &state,
            keep_follower, &self->follower, keep_weak, &self->entry, keep_all_weak, &self->marks, keep, &self->close))
        return -1;
    replace((PyObject **)&self->state, state);
    if (put(&self->optimiser, PyWeakref_NewRef(optimiser, NULL)) < 0 || begin_notes(self) < 0)
        return -1;
    self->looking = looking, self->ran = ran;
    self->thread = PyThread_get_thread_ident(), self->forks = forks;
    self->last = real(PyObject_CallNoArgs(self->clock));
    self->until = self->last + longest;
    return PyErr_Occurred() ? -1 : 0;
}

static held_places stretch_held = {
    offsetof(Stretch, optimiser), offsetof(Stretch, entry), offsetof(Stretch, marks), offsetof(Stretch, surprise),
    offsetof(Stretch, close), offsetof(Stretch, clock), offsetof(Stretch, is_scaling), offsetof(Stretch, divisors_of),
    offsetof(Stretch, is_of_a_signal), offsetof(Stretch, losses), offsetof(Stretch, rates), offsetof(Stretch, pending),
    offsetof(Stretch, divisors), offsetof(Stretch, state), offsetof(Stretch, follower), offsetof(Stretch, plain), 0,
};

static int stretch_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, stretch_held, visit, arg);
}

static int stretch_clear(PyObject *self)
{
    Stretch *stretch = (Stretch *)self;
    stretch->disturbed = stretch->over = 1;
    return clear_held(self, stretch_held);
}

static void stretch_dealloc(Stretch *self)
{
    if (self->lock != NULL)
        PyThread_free_lock(self->lock);
    self->lock = NULL;
    release((PyObject *)self, stretch_clear);
}

/* Whether this is the thread whose steps are noted, and not that of a fork. */
static int is_at_home(const Stretch *self)
{
    return self->thread == PyThread_get_thread_ident() && self->forks == forks;
}

static int is_here(const Stretch *self)
{
    return !self->disturbed && is_at_home(self);
}

static int is_ours(const Stretch *self, PyObject *optimiser)
{
    return self->optimiser != NULL && PyWeakref_GetObject(self->optimiser) == optimiser;
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
    PyObject *error = take_error();
    int is_of_a_signal = truth(PyObject_CallFunctionObjArgs(self->is_of_a_signal, error, NULL));
    if (is_of_a_signal > 0) {
        raise_again(error);
        return NULL;
    }
    Py_DECREF(error);
    return is_of_a_signal < 0 ? NULL : PyBool_FromLong(0);
}
