/* What is taken down of a step that goes its usual way. Part of quick.c. */

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
