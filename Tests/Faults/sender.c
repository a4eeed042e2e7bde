/* sender.send: sends thousands of recorder.work from one process, for a broker that only taskhost speaks to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <taskhost.h>

/* `list`: a line for each, its id (which is its key, too) and its milliseconds; `path`: as recorder.work has it. Both
 * need no escaping in JSON. */
static int64_t send(task_context *task, const char *queue, const char *path, const char *list) {
    int64_t sent = 0, milliseconds;
    char key[128], signature[2048], id[TASKHOST_ID_SIZE];
    int read;
    while (sscanf(list, "%127s %" SCNd64 "\n%n", key, &milliseconds, &read) == 2) {
        int length = snprintf(signature, sizeof signature,
                              "{\"task\":\"recorder.work\",\"args\":[\"%s\",\"%s\",%" PRId64 "],\"kwargs\":{},"
                              "\"options\":{\"task_id\":\"%s\",\"queue\":\"%s\"}}",
                              path, key, milliseconds, key, queue);
        if (length < 0 || length >= (int)sizeof signature || !task_send(task, signature, id)) abort();
        list += read;
        sent++;
    }
    return sent;
}

TASK_DEF_CTX(send, i64, (str, queue), (str, path), (str, list));
TASKHOST_BUNDLE("sender", "1.0");
