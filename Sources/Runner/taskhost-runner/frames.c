/* frames - reading many per system call, writing each whole. */
#include "frames.h"

#include "text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { USUAL_CAPACITY = 64 << 10, KEPT_CAPACITY = 1 << 20 };

/* The buffer is static until a frame is larger: a fresh child then needs no allocation. */
static char usual[USUAL_CAPACITY];
static char *buffer = usual;
static size_t capacity = USUAL_CAPACITY, filled, taken;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;

static void make_room(size_t wanted) {
    size_t kept = filled - taken;
    bool large_is_idle = buffer != usual && kept == 0 && wanted <= USUAL_CAPACITY && capacity > KEPT_CAPACITY;
    if (large_is_idle) {
        free(buffer);
        buffer = usual;
        capacity = USUAL_CAPACITY;
    }
    if (wanted <= capacity) {
        memmove(buffer, buffer + taken, large_is_idle ? 0 : kept);
    } else {
        char *larger = malloc(wanted);
        if (larger == NULL) {
            out_of_memory(wanted);
        }
        memcpy(larger, buffer + taken, kept);
        if (buffer != usual) {
            free(buffer);
        }
        buffer = larger;
        capacity = wanted;
    }
    filled = kept;
    taken = 0;
}

static void wait_for(short events) {
    struct pollfd socket = {RUNNER_DATA_FD, events, 0};
    while (poll(&socket, 1, -1) < 0 && errno == EINTR) {
    }
}

static void read_more(void) {
    for (;;) {
        ssize_t count = read(RUNNER_DATA_FD, buffer + filled, capacity - filled);
        if (count > 0) {
            filled += (size_t)count;
            return;
        }
        if (count == 0 || errno == ECONNRESET) {
            _exit(0);
        }
        if (errno == EAGAIN) {
            wait_for(POLLIN);
        } else if (errno != EINTR) {
            fprintf(stderr, "taskhost-runner: reading from the host failed: %s\n", strerror(errno));
            _exit(EXIT_PROTOCOL);
        }
    }
}

/* At least `wanted` bytes from `taken` on. */
static void read_until(size_t wanted) {
    while (filled - taken < wanted) {
        if (capacity - taken < wanted || capacity == filled) {
            make_room(wanted > USUAL_CAPACITY ? wanted : USUAL_CAPACITY);
        }
        read_more();
    }
}

struct frame_header frame_read(char **frame_start) {
    struct frame_header header;
    if (taken == filled) {
        taken = filled = 0;
        if (capacity > KEPT_CAPACITY) {
            make_room(USUAL_CAPACITY);
        }
    }
    read_until(sizeof header);
    memcpy(&header, buffer + taken, sizeof header);
    if (header.length > RUNNER_FRAME_MAX) {
        fprintf(stderr, "taskhost-runner: the host sent a frame of %u bytes, more than %u\n", header.length,
                RUNNER_FRAME_MAX);
        _exit(EXIT_PROTOCOL);
    }
    read_until(sizeof header + header.length);
    *frame_start = buffer + taken;
    taken += sizeof header + header.length;
    return header;
}

static void send_all(struct iovec *pieces, int count) {
    while (count > 0) {
        ssize_t sent = writev(RUNNER_DATA_FD, pieces, count);
        if (sent < 0) {
            if (errno == EAGAIN) {
                wait_for(POLLOUT);
            } else if (errno != EINTR) {
                _exit(0); /* the zygote is gone */
            }
            continue;
        }
        while (count > 0 && (size_t)sent >= pieces->iov_len) {
            sent -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + sent;
            pieces->iov_len -= (size_t)sent;
        }
    }
}

void frame_send(enum runner_frame type, uint16_t code, uint64_t sequence, const void *first, size_t first_length,
                const void *second, size_t second_length) {
    struct frame_header header = {(uint32_t)(first_length + second_length), (uint16_t)type, code, sequence};
    struct iovec pieces[] = {{&header, sizeof header}, {(void *)first, first_length}, {(void *)second, second_length}};
    pthread_mutex_lock(&sending);
    send_all(pieces, 3);
    pthread_mutex_unlock(&sending);
}
