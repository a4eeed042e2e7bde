/* submit - what a task sends goes to the host at once; it publishes it while the task runs on. */
#include "submit.h"

#include "frames.h"
#include "json.h"

#include <errno.h>
#include <stdatomic.h>
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

/* The present task's ids follow from what it is and from their number: what it sends again after a restart has the ids it
 * had before, so that a receiver of both recognises them as one. */
static struct {
    int pid; /* a copy that the task has forked makes random ids */
    unsigned __int128 seed;
    atomic_uint_fast64_t last;
} source;

/* FNV-1a of 128 bits (Fowler, Noll, Vo). */
static unsigned __int128 hashed(unsigned __int128 hash, const void *bytes, size_t count) {
    const unsigned char *byte = bytes;
    for (size_t index = 0; index < count; index++) {
        hash ^= byte[index];
        hash = (hash << 88) + hash * 0x13b;
    }
    return hash;
}

/* Arguments may be large; their beginning and length tell tasks apart that took each other's place under one id. */
enum { HASHED_MOST = 4096 };

void submit_begin(const task_context *task) {
    static const int texts[] = {TASKHOST_TEXT_ID, TASKHOST_TEXT_NAME, TASKHOST_TEXT_BODY};
    unsigned __int128 seed = ((unsigned __int128)0x6c62272e07bb0142 << 64) | 0x62b821756295c58d;
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        size_t length = task->lengths[texts[index]];
        seed = hashed(seed, &length, sizeof length);
        seed = hashed(seed, task->texts[texts[index]], length < HASHED_MOST ? length : HASHED_MOST);
    }
    source.seed = hashed(seed, &task->request.retries, sizeof task->request.retries);
    atomic_store(&source.last, 0);
    source.pid = getpid();
}

void submit_end(void) { source.pid = 0; }

/* RFC 9562: version 8 within a task, 4 outside of it. */
void submit_new_id(char id[TASKHOST_ID_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    bool follows = source.pid == getpid();
    if (follows) {
        uint64_t number = atomic_fetch_add(&source.last, 1);
        unsigned __int128 hash = hashed(source.seed, &number, sizeof number);
        memcpy(bytes, &hash, sizeof bytes);
    } else {
        random_bytes(bytes, sizeof bytes);
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | (follows ? 0x80 : 0x40));
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

static bool submit_json(task_context *task, enum runner_send kind, enum json_kind expected, const char *json,
                        size_t length) {
    struct json_slice value;
    if (task->over || json == NULL || !json_whole(json, length, &value) || json_kind(value) != expected ||
        value.length > RUNNER_FRAME_MAX / 2) {
        return false;
    }
    frame_send(FRAME_SEND, (uint16_t)kind, task->sequence, value.text, value.length, NULL, 0);
    return true;
}

bool submit_publish(task_context *task, const char *message, size_t length) {
    return submit_json(task, SEND_MESSAGE, JSON_OBJECT, message, length);
}

bool submit_add_children(task_context *task, const char *tuples, size_t length) {
    return submit_json(task, SEND_CHILDREN, JSON_ARRAY, tuples, length);
}
