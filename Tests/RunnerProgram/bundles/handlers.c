/* Handlers of several signatures; each answers what it was given: JSON values, null where it is to take its default. */
#include <taskhost.h>

#include <stdlib.h>

static void answer(task_context *task) {
    size_t count, length = 2;
    const taskhost_slice *slices = task_bind(task, &count);
    if (slices == NULL) {
        return;
    }
    for (size_t index = 0; index < count; index++) {
        length += slices[index].length + sizeof "null,";
    }
    char *json = malloc(length + 1), *out = json;
    *out++ = '[';
    for (size_t index = 0; index < count; index++) {
        const taskhost_slice *slice = &slices[index];
        out += sprintf(out, "%s%.*s", index > 0 ? "," : "", slice->text ? (int)slice->length : 4,
                       slice->text ? slice->text : "null");
    }
    strcpy(out, "]");
    task_succeed_json(task, json);
    free(json);
}

#define ANSWERS(name, signature)                                                                                     \
    static void name(task_context *task) { answer(task); }                                                           \
    TASK_HANDLER_DOC(name, signature "->JSON")
ANSWERS(nothing, "");
ANSWERS(one, "a:Int");
ANSWERS(two, "a:Int,b:Int");
ANSWERS(three, "a:Int,b:Int,c:Int");
ANSWERS(optional, "a:Int,b:Int=7,c:[Int]=[1,2]");
ANSWERS(rest, "a:Int,b:Int=7,*c:[JSON]");
ANSWERS(named, "a:Int,b:Int=7,**c:[String: JSON]");
ANSWERS(all, "a:Int,b:Int=7,*c:[JSON],**d:[String: JSON]");
ANSWERS(only, "*a:[JSON],**b:[String: JSON]");

/* Asks for its arguments, and goes on although they do not fit. */
static void stubborn(task_context *task) {
    task_bind(task, NULL);
    task_succeed_json(task, "\"late\"");
}
TASK_HANDLER_DOC(stubborn, "a:Int->String");

TASKHOST_BUNDLE("handlers", "1.0");
