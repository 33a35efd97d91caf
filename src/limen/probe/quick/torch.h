/* What is asked of torch: a few of its functions, and its tensors through DLPack. Part of quick.c.
 *
 * DLPack (github.com/dmlc/dlpack, dlpack.h, version 1.3) lets a library hand out a table of C functions; the one used
 * here tells of a tensor where its numbers lie, and allocates nothing. Versions with the same major number agree. */

#define MOST_AXES 8
#define CPU 1
enum code { FLOAT = 2, BFLOAT = 4 };

struct tensor {
    void *data;
    int32_t device, device_number, axes;
    uint8_t code, bits;
    uint16_t lanes;
    const int64_t *shape, *strides;
    uint64_t offset; /* torch hands out 0 */
};

struct exchange {
    uint32_t major, minor;
    void *older, *allocate, *from_object, *to_object;
    int (*describe)(void *object, struct tensor *out);
};

static struct {
    PyObject *tensor, *is_grad_enabled, *function_modes, *dispatch_modes, *transform, *tracing, *threads;
    int (*describe)(void *object, struct tensor *out);
} torch;

static struct {
    PyObject *backward_hooks, *backward_pre_hooks, *enter, *expects, *forward, *forward_pre_hooks, *grad, *grad_fn;
    PyObject *is_cpu, *is_neg, *item, *lr, *output_nr, *owner, *param_groups, *register_hook_dict, *requires_grad;
    PyObject *training, *trouble;
} names;

/* Finds what is needed; -1 with an ImportError where this torch lacks it. */
static int find_torch(void)
{
    PyObject *package = PyImport_ImportModule("torch"), *inner = NULL, *functions = NULL, *table = NULL;
    const struct exchange *exchange = NULL;
    if (package == NULL)
        return -1;
    inner = PyObject_GetAttrString(package, "_C");
    torch.tensor = PyObject_GetAttrString(package, "Tensor");
    torch.is_grad_enabled = PyObject_GetAttrString(package, "is_grad_enabled");
    torch.threads = PyObject_GetAttrString(package, "get_num_threads");
    Py_DECREF(package);
    if (inner != NULL && torch.tensor != NULL) {
        torch.function_modes = PyObject_GetAttrString(inner, "_len_torch_function_stack");
        torch.dispatch_modes = PyObject_GetAttrString(inner, "_len_torch_dispatch_stack");
        torch.tracing = PyObject_GetAttrString(inner, "_get_tracing_state");
        functions = PyObject_GetAttrString(inner, "_functorch");
        torch.transform = functions == NULL ? NULL : PyObject_GetAttrString(functions, "peek_interpreter_stack");
        Py_XDECREF(functions);
        table = PyObject_GetAttrString(torch.tensor, "__dlpack_c_exchange_api__");
    }
    Py_XDECREF(inner);
    if (table != NULL)
        exchange = PyCapsule_GetPointer(table, "dlpack_exchange_api");
    Py_XDECREF(table);
    if (exchange != NULL && exchange->major == 1)
        torch.describe = exchange->describe;
    int has_functions = torch.is_grad_enabled && torch.threads && torch.function_modes && torch.dispatch_modes;
    if (torch.describe && has_functions && torch.transform && torch.tracing)
        return 0;
    PyErr_SetString(PyExc_ImportError, "this version of torch does not tell C where its tensors lie");
    return -1;
}

static int find_names(void)
{
    struct {
        PyObject **place;
        const char *word;
    } all[] = {
        {&names.backward_hooks, "_backward_hooks"},
        {&names.backward_pre_hooks, "_backward_pre_hooks"},
        {&names.enter, "enter"},
        {&names.expects, "expects"},
        {&names.forward, "forward"},
        {&names.forward_pre_hooks, "_forward_pre_hooks"},
        {&names.grad, "grad"},
        {&names.grad_fn, "grad_fn"},
        {&names.is_cpu, "is_cpu"},
        {&names.is_neg, "is_neg"},
        {&names.item, "item"},
        {&names.lr, "lr"},
        {&names.output_nr, "output_nr"},
        {&names.owner, "owner"},
        {&names.param_groups, "param_groups"},
        {&names.register_hook_dict, "_register_hook_dict"},
        {&names.requires_grad, "requires_grad"},
        {&names.training, "training"},
        {&names.trouble, "trouble"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((*all[i].place = PyUnicode_InternFromString(all[i].word)) == NULL)
            return -1;
    return 0;
}

/* Whether a function tells that there is nothing. -1 with an error. */
static int has_none(PyObject *function)
{
    PyObject *found = PyObject_CallNoArgs(function);
    Py_XDECREF(found);
    return found == NULL ? -1 : found == Py_None;
}

/* Whether calls compute here and now, and nothing of the script sees what is asked of tensors. -1 with an error. */
static int is_plain_here(void)
{
    int64_t modes = number(PyObject_CallNoArgs(torch.function_modes));
    if (modes == 0)
        modes = number(PyObject_CallNoArgs(torch.dispatch_modes));
    return modes == 0 ? has_none(torch.transform) : modes < 0 ? -1 : 0;
}

static long forks; /* between the process that loaded this and this one */

static void note_fork(void)
{
    forks++;
}

/* Among how many threads work is shared: a fork has none but the one that forked, and torch's team would wait for the
 * others. -1 with an error. */
static int team(int is_shared)
{
    return is_shared && !forks ? (int)number(PyObject_CallNoArgs(torch.threads)) : 1;
}

/* Whether torch.jit.trace does not write down what is called. -1 with an error. */
static int is_untraced(void)
{
    return has_none(torch.tracing);
}

/* Where the numbers of a tensor lie, as they are; 0 where they do not lie in memory that can be read from here. */
static int describe(PyObject *object, struct tensor *out)
{
    if ((PyObject *)Py_TYPE(object) != torch.tensor)
        return 0;
    if (torch.describe(object, out) != 0) {
        PyErr_Clear();
        return 0;
    }
    if (out->device != CPU || out->data == NULL || out->lanes != 1 || out->offset != 0)
        return 0;
    int is_negative = truth(PyObject_CallMethodObjArgs(object, names.is_neg, NULL));
    return is_negative < 0 ? -1 : !is_negative;
}

/* The one number in a tensor, as a Python float; NULL for none, be it with an error. */
static PyObject *number_in(PyObject *root)
{
    struct tensor tensor;
    if (describe(root, &tensor) <= 0)
        return NULL;
    for (int32_t axis = 0; axis < tensor.axes; axis++)
        if (tensor.shape[axis] != 1)
            return NULL;
    if (tensor.code == FLOAT && tensor.bits == 32)
        return PyFloat_FromDouble(*(const float *)tensor.data);
    if (tensor.code == FLOAT && tensor.bits == 64)
        return PyFloat_FromDouble(*(const double *)tensor.data);
    return tensor.code == FLOAT || tensor.code == BFLOAT ? PyObject_CallMethodObjArgs(root, names.item, NULL) : NULL;
}

/* The learning rate of the first group, new; NULL for one that is no plain number, be it with an error. */
static PyObject *rate_of(PyObject *optimiser)
{
    PyObject *groups = PyObject_GetAttr(optimiser, names.param_groups), *rate = NULL;
    if (groups != NULL && PyList_Check(groups) && PyList_Size(groups) > 0) {
        PyObject *group = PyList_GetItem(groups, 0);
        rate = PyDict_Check(group) ? PyDict_GetItemWithError(group, names.lr) : NULL;
        rate = rate != NULL && PyFloat_CheckExact(rate) ? rate : NULL;
    }
    Py_XINCREF(rate);
    Py_XDECREF(groups);
    return rate;
}

/* All that must stay as it is for a tensor to be read in the same way. */
struct form {
    int32_t axes;
    uint8_t code, bits;
    int64_t shape[MOST_AXES], strides[MOST_AXES];
};

static int has_form(const struct tensor *tensor, const struct form *form)
{
    size_t size = form->axes * sizeof(int64_t);
    return tensor->axes == form->axes && tensor->code == form->code && tensor->bits == form->bits &&
           memcmp(tensor->shape, form->shape, size) == 0 && memcmp(tensor->strides, form->strides, size) == 0;
}

/* 0 where it has more axes than are remembered. */
static int take_form(const struct tensor *tensor, struct form *out)
{
    if (tensor->axes > MOST_AXES)
        return 0;
    *out = (struct form){.axes = tensor->axes, .code = tensor->code, .bits = tensor->bits};
    memcpy(out->shape, tensor->shape, tensor->axes * sizeof(int64_t));
    memcpy(out->strides, tensor->strides, tensor->axes * sizeof(int64_t));
    return 1;
}
