/* What every part needs of Python. Part of quick.c. */

static PyObject *type_of(void *self)
{
    return (PyObject *)Py_TYPE((PyObject *)self);
}

/* Where in its struct an object of a type holds others: offsets, ended by 0. */
typedef const size_t held_places[];

static PyObject **held_at(PyObject *self, size_t place)
{
    return (PyObject **)((char *)self + place);
}

/* What Py_tp_traverse asks for: an object holds its type, too. */
static int visit_held(PyObject *self, held_places places, visitproc visit, void *arg)
{
    Py_VISIT(type_of(self));
    for (; *places; places++)
        Py_VISIT(*held_at(self, *places));
    return 0;
}

/* What Py_tp_clear asks for. */
static int clear_held(PyObject *self, held_places places)
{
    for (; *places; places++)
        Py_CLEAR(*held_at(self, *places));
    return 0;
}

/* Ends an object whose references `clear` gives back. */
static void release(PyObject *self, inquiry clear)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF((PyObject *)type);
}

/* Keeps another object in the place of one. */
static void replace(PyObject **place, PyObject *object)
{
    PyObject *old = *place;
    Py_XINCREF(object);
    *place = object;
    Py_XDECREF(old);
}

/* As `replace`, for arguments: the converter of "O&". */
static int keep(PyObject *object, void *place)
{
    replace(place, object);
    return 1;
}

/* Puts a new object in the place of one; takes the reference. -1 with an error. */
static int put(PyObject **place, PyObject *made)
{
    PyObject *old = *place;
    if (made == NULL)
        return -1;
    *place = made;
    Py_XDECREF(old);
    return 0;
}

/* Whether an object is true; takes the reference. -1 with an error. */
static int truth(PyObject *object)
{
    int is_true = object == NULL ? -1 : PyObject_IsTrue(object);
    Py_XDECREF(object);
    return is_true;
}

/* A whole number; takes the reference. -1 with an error. */
static int64_t number(PyObject *object)
{
    int64_t found = object == NULL ? -1 : PyLong_AsLongLong(object);
    Py_XDECREF(object);
    return found;
}

/* A number; takes the reference. -1 with an error. */
static double real(PyObject *object)
{
    double found = object == NULL ? -1 : PyFloat_AsDouble(object);
    Py_XDECREF(object);
    return found;
}

/* Takes away the error that is set, with its trace; a new reference. */
static PyObject *take_error(void)
{
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace != NULL)
        PyException_SetTraceback(error, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return error;
}

/* Sets an error again that was taken away; takes the reference. */
static void raise_again(PyObject *error)
{
    PyErr_Restore(Py_NewRef(type_of(error)), error, PyException_GetTraceback(error));
}
