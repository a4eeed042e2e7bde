/* submit - signatures go to the host at once; it publishes them while the task runs on. */
#include "submit.h"

#include "frames.h"
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static void random_bytes(unsigned char *bytes, size_t count) {
    size_t got = 0;
    while (got < count) {
        ssize_t more = getrandom(bytes + got, count - got, 0);
        if (more > 0) {
            got += (size_t)more;
        } else if (errno != EINTR) { /* two tasks with one id would be worse than none */
            fprintf(stderr, "taskhost-runner: no random numbers for a task id: %s\n", strerror(errno));
            _exit(EXIT_PROTOCOL);
        }
    }
}

/* RFC 9562, version 4. */
void submit_new_id(char id[TASKHOST_ID_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (int index = 0, at = 0; index < 16; index++) {
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            id[at++] = '-';
        }
        id[at++] = digits[bytes[index] >> 4];
        id[at++] = digits[bytes[index] & 0x0f];
    }
    id[TASKHOST_ID_SIZE - 1] = '\0';
}

static bool submit(task_context *task, enum runner_send kind, const char *id, const char *signature, size_t length) {
    struct json_slice value;
    if (task->over || id == NULL || signature == NULL || !json_whole(signature, length, &value) ||
        json_kind(value) != JSON_OBJECT || value.length > RUNNER_FRAME_MAX / 2) {
        return false;
    }
    struct text payload = {0};
    text_append_string(&payload, "{\"id\":");
    text_append_json_string(&payload, id, strlen(id));
    text_append_string(&payload, ",\"signature\":");
    text_append(&payload, value.text, value.length);
    text_append(&payload, "}", 1);
    frame_send(FRAME_SEND, (uint16_t)kind, task->sequence, payload.bytes, payload.length, NULL, 0);
    text_free(&payload);
    return true;
}

bool submit_send(task_context *task, const char *id, const char *signature, size_t length) {
    return submit(task, SEND_TASK, id, signature, length);
}

bool submit_add_to_chord(task_context *task, const char *id, const char *signature, size_t length) {
    return submit(task, SEND_TO_CHORD, id, signature, length);
}
