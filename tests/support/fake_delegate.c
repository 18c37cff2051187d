/* A delegate for tests: a library that the real runtimes load as they load an accelerator's
   (external_delegate_interface.h). It runs each CAST of uint8 to float32 itself, exactly, and takes nothing else.

   -DMODE=... selects a fault, -DLASTS=... when it comes. The structures are those of TFLite's C API (core/c/common.h), as far as they are used;
   they are the same in tflite-runtime 2.14 and LiteRT 2. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKS, NOT_CREATED, REFUSES, KERNEL_REFUSES, CRASHES, CRASHES_SECOND, CRASHES_AT_THE_END, EXITS,
       REFUSES_SECOND, HANGS, WRONG, TAKES_NOTHING, BREAKS_LATER };
#ifndef MODE
#define MODE WORKS
#endif
#ifndef LASTS
#define LASTS 3 /* BREAKS_LATER: so many runs succeed */
#endif

enum { FLOAT32 = 1, UINT8 = 3, CAST = 53, DELEGATE = 51, OK = 0, ERROR = 1 };

typedef struct { int size; int at[]; } Ints;
typedef struct { int type; void *data; Ints *shape; float scale; int32_t zero; int allocation; size_t bytes;
                 const void *origin; const char *name; void *delegate; int handle; char stale, variable;
                 int quantisation; void *quantised, *sparsity; Ints *signature; } Tensor;
typedef struct { Ints *inputs, *outputs, *intermediates, *temporaries; void *data; } Node;
typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct { void *(*init)(Context *, const char *, size_t); void (*free)(Context *, void *);
                 int (*prepare)(Context *, Node *); int (*invoke)(Context *, Node *);
                 void *profile; int32_t code; const char *name; int version;
                 void *operator_, *async; uint64_t in_place; } Registration;
struct Context { size_t count; int (*plan)(Context *, Ints **); Tensor *tensors; void *runtime, *resize;
                 void (*report)(Context *, const char *, ...); void *add;
                 int (*node)(Context *, int, Node **, Registration **);
                 int (*replace)(Context *, Registration, const Ints *, Delegate *); };
struct Delegate { void *data; int (*prepare)(Context *, Delegate *); void *from_buffer, *to_buffer, *free_buffer;
                  int64_t flags; void *opaque; };

static int runs, models;

static int kernel_prepare(Context *context, Node *node) {
    (void)node;
    if (MODE != KERNEL_REFUSES) return OK;
    context->report(context, "the fake accelerator has no room for this graph");
    return ERROR;
}

static int kernel_invoke(Context *context, Node *node) {
    const Tensor *from = &context->tensors[node->inputs->at[0]], *to = &context->tensors[node->outputs->at[0]];
    if (MODE == BREAKS_LATER && ++runs > LASTS) {
        context->report(context, "the fake accelerator was unplugged");
        return ERROR;
    }
    for (size_t i = 0; i < from->bytes; i++)
        ((float *)to->data)[i] = (float)((const uint8_t *)from->data)[i] / (MODE == WRONG ? 2 : 1);
    return OK;
}

static int is_ours(Context *context, int index) {
    Node *node;
    Registration *kind;
    if (context->node(context, index, &node, &kind) != OK || kind->code != CAST) return 0;
    return context->tensors[node->inputs->at[0]].type == UINT8 && context->tensors[node->outputs->at[0]].type == FLOAT32;
}

static int prepare(Context *context, Delegate *delegate) {
    Registration kernel = {.prepare = kernel_prepare, .invoke = kernel_invoke, .code = DELEGATE, .name = "Fake",
                           .version = 1};
    Ints *plan, *ours;
    int done;
    models++;
    if (MODE == CRASHES || (MODE == CRASHES_SECOND && models > 1)) abort();
    if (MODE == EXITS) _exit(0);
    if (MODE == HANGS) pause();
    if (MODE == REFUSES || (MODE == REFUSES_SECOND && models > 1)) {
        context->report(context, "the fake accelerator knows no such model");
        return ERROR;
    }
    if (context->plan(context, &plan) != OK) return ERROR;
    ours = calloc(1, sizeof(Ints) + sizeof(int) * plan->size);
    for (int i = 0; MODE != TAKES_NOTHING && i < plan->size; i++)
        if (is_ours(context, plan->at[i])) ours->at[ours->size++] = plan->at[i];
    done = ours->size ? context->replace(context, kernel, ours, delegate) : OK;
    free(ours);
    return done;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
    Delegate *made;
    (void)keys, (void)values, (void)count;
    if (MODE == NOT_CREATED) {
        report("no fake accelerator is connected");
        return NULL;
    }
    if (MODE == CRASHES_AT_THE_END) atexit(abort);
    made = calloc(1, sizeof(Delegate));
    made->prepare = prepare;
    return made;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
