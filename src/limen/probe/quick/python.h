/* What every part needs of Python. Part of quick.c. */

/* For Py_VISIT: what is of a type that was made here holds it. */
static PyObject *type_of(void *self)
{
    return (PyObject *)Py_TYPE((PyObject *)self);
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
