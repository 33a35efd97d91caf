/* Whether a loss stands out from those before it: surprise.py says how. Part of quick.c. */

#define FAR 6.0     /* these three as there */
#define SEEN 20     /* values */
#define MEMORY 0.05 /* weight of the newest */

typedef struct {
    PyObject_HEAD
    double mean, deviation;
    long long seen;
    char is_broken;
} Surprise;

static int is_finite(double value)
{
    return value - value == 0;
}

static int expects(const Surprise *self, double value)
{
    return is_finite(value) && (self->seen < SEEN || value - self->mean <= FAR * self->deviation);
}

static void enter_value(Surprise *self, double value)
{
    double gap = value - self->mean, weight;
    self->is_broken = 0;
    self->seen++;
    weight = 1.0 / self->seen > MEMORY ? 1.0 / self->seen : MEMORY;
    self->mean += weight * gap;
    self->deviation += weight * ((gap < 0 ? -gap : gap) - self->deviation);
}

static PyObject *surprise_meets(Surprise *self, PyObject *number)
{
    double value = PyFloat_AsDouble(number);
    if (PyErr_Occurred())
        return NULL;
    int is_told = is_finite(value) ? !expects(self, value) : !self->is_broken;
    if (is_finite(value))
        enter_value(self, value);
    else
        self->is_broken = 1;
    return PyBool_FromLong(is_told);
}

static PyObject *surprise_expects(Surprise *self, PyObject *number)
{
    double value = PyFloat_AsDouble(number);
    return PyErr_Occurred() ? NULL : PyBool_FromLong(expects(self, value));
}

static PyObject *surprise_enter(Surprise *self, PyObject *number)
{
    double value = PyFloat_AsDouble(number);
    if (PyErr_Occurred())
        return NULL;
    enter_value(self, value);
    Py_RETURN_NONE;
}

static PyMethodDef surprise_methods[] = {
    {"meets", (PyCFunction)surprise_meets, METH_O, NULL},
    {"expects", (PyCFunction)surprise_expects, METH_O, NULL},
    {"enter", (PyCFunction)surprise_enter, METH_O, NULL},
    {NULL},
};

static PyType_Slot surprise_slots[] = {
    {Py_tp_doc, "The running mean of a loss and its mean absolute deviation."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_methods, surprise_methods},
    {0, NULL},
};

static PyType_Spec surprise_spec = {
    "limen.probe.quick._quick.Surprise", sizeof(Surprise), 0, Py_TPFLAGS_DEFAULT, surprise_slots,
};
