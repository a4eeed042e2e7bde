/* Ways for a task to say the wrong thing. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int64_t flood(int64_t bytes, int32_t fd) {
    static const char line[] = "the quick brown fox jumps over the lazy dog again and again\n";
    FILE *out = fd == 2 ? stderr : stdout;
    int64_t written = 0;
    while (written < bytes) {
        size_t length = sizeof line - 1;
        if ((int64_t)length > bytes - written) {
            length = (size_t)(bytes - written);
        }
        written += (int64_t)fwrite(line, 1, length, out);
    }
    return written;
}
TASK_DEF(flood, i64, (i64, bytes, 10485760), (i32, fd, 1));
TASK_OPTIONS(flood, .doc = "Writes bytes to stdout (fd 1) or stderr (fd 2).");

static void say(const char *text, int32_t fd) {
    fprintf(fd == 2 ? stderr : stdout, "%s", text);
}
TASK_DEF(say, void, (str, text), (i32, fd, 1));
TASK_OPTIONS(say, .doc = "Writes the text as it is.");

static void close_fds(void) {
    close_range(0, ~0U, 0);
}
TASK_DEF(close_fds, void);
TASK_OPTIONS(close_fds, .doc = "Closes all its descriptors, the one to the host with them.");

/* Descriptor 3 is the host's; a task that writes there breaks its word. */
static void garbage(const char *style) {
    unsigned char junk[64];
    memset(junk, 0xff, sizeof junk);
    if (strcmp(style, "huge") == 0) { /* a frame of 2 GiB is announced */
        const unsigned char header[16] = {0xff, 0xff, 0xff, 0x7f, 16};
        memcpy(junk, header, sizeof header);
    } else if (strcmp(style, "half") == 0) { /* a frame that never ends */
        const unsigned char header[16] = {0, 1, 0, 0, 16};
        memcpy(junk, header, sizeof header);
    }
    if (write(3, junk, sizeof junk) < 0) {
        perror("write");
    }
    for (;;) {
        pause();
    }
}
TASK_DEF(garbage, void, (str, style, "noise"));
TASK_OPTIONS(garbage, .doc = "Writes nonsense to the host (style noise, huge or half), then waits for ever.");

static void bad_json(task_context *task) {
    task_succeed_json(task, "{\"half\": ");
}
TASK_DEF_CTX(bad_json, void);
TASK_OPTIONS(bad_json, .doc = "Gives text that is no JSON as its result.");
