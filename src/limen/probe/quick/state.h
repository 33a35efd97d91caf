/* What the quick way and the probe both know. Part of quick.c. */

typedef struct {
    PyObject_HEAD
    char closed, takes_histogram, is_scaled, is_lent;
    unsigned long busy;
    double cost;
    long long samples, batch;
    PyObject *waiting;
    double *memory; /* for one reading at a time; lent while that goes on, which others may do meanwhile */
    int64_t room;
} State;

static PyMemberDef state_members[] = {
    {"closed", T_BOOL, offsetof(State, closed), 0, NULL},
    {"busy", T_ULONG, offsetof(State, busy), 0, NULL},
    {"cost", T_DOUBLE, offsetof(State, cost), 0, NULL},
    {"samples", T_LONGLONG, offsetof(State, samples), 0, NULL},
    {"batch", T_LONGLONG, offsetof(State, batch), 0, NULL},
    {"takes_histogram", T_BOOL, offsetof(State, takes_histogram), 0, NULL},
    {"is_scaled", T_BOOL, offsetof(State, is_scaled), 0, NULL},
    {"waiting", T_OBJECT_EX, offsetof(State, waiting), READONLY, NULL},
    {NULL},
};

static int state_init(State *self, PyObject *args, PyObject *kwargs)
{
    static char *keys[] = {"waiting", NULL};
    self->takes_histogram = 1;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O&:State", keys, keep, &self->waiting) ? 0 : -1;
}

static held_places state_held = {offsetof(State, waiting), 0};

static int state_traverse(PyObject *self, visitproc visit, void *arg)
{
    return visit_held(self, state_held, visit, arg);
}

static int state_clear(PyObject *self)
{
    return clear_held(self, state_held);
}

static void state_dealloc(State *self)
{
    free(self->memory);
    release((PyObject *)self, state_clear);
}

static PyType_Slot state_slots[] = {
    {Py_tp_doc, "What the quick way and the probe both know."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, state_init},
    {Py_tp_traverse, state_traverse},
    {Py_tp_clear, state_clear},
    {Py_tp_dealloc, state_dealloc},
    {Py_tp_members, state_members},
    {0, NULL},
};

static PyType_Spec state_spec = {
    "limen.probe.quick._quick.State", sizeof(State), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, state_slots,
};

static PyTypeObject *state_type;

/* Whether a reading may begin here: nobody is at it. */
static int is_free(const State *state)
{
    return state != NULL && !state->busy && !state->closed;
}

/* Whether nothing but the account of a site is wanted now, and nothing must be entered before it. -1 with an error. */
static int is_usual(const State *state)
{
    Py_ssize_t waiting = state->takes_histogram ? 1 : PyObject_Size(state->waiting);
    return waiting < 0 ? -1 : waiting == 0;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

static double begin(State *state)
{
    state->busy = PyThread_get_thread_ident();
    return now();
}

static void end(State *state, double began)
{
    state->busy = 0;
    state->cost += now() - began;
}

/* Memory for one reading, to be given back; NULL where there is none. */
static double *borrow(State *state, int64_t room)
{
    if (state->is_lent)
        return NULL;
    if (state->room < room) {
        free(state->memory);
        state->memory = malloc(room * sizeof(double));
        state->room = state->memory == NULL ? 0 : room;
    }
    state->is_lent = state->memory != NULL;
    return state->memory;
}
