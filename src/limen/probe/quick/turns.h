/* What a stretch is told of, turn by turn. Part of quick.c. */

static PyObject *stretch_begins_forward(Stretch *self, PyObject *nothing)
{
    int is_seen = !self->over && self->looking;
    self->ran |= is_seen;
    return PyBool_FromLong(is_seen);
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
    if (!is_at_home(self))
        Py_RETURN_TRUE;
    while (!hold(self, 1000000)) /* whoever ends it only sets a flag meanwhile */
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

static PyObject *stretch_ends_update(Stretch *self, PyObject *optimiser)
{
    if (!is_at_home(self) || !is_ours(self, optimiser) || !begins_to_note(self))
        Py_RETURN_FALSE;
    double began = now(), time = real(PyObject_CallNoArgs(self->clock));
    int is_noted = PyErr_Occurred() ? -1 : note_step(self, optimiser, time);
    if (is_noted > 0)
        self->cost += now() - began + self->dispatch;
    return answer(self, is_noted);
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
    int is_within = self->is_noting && is_at_home(self); /* in what it called itself */
    if (is_within || self->forks != forks || !hold(self, (long long)(1e6 * patience)))
        Py_RETURN_FALSE;
    int ends = !self->over;
    self->over = 1;
    PyThread_release_lock(self->lock);
    return PyBool_FromLong(ends);
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
